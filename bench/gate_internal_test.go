package bench

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestGateHoldsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(20)
		var entered atomic.Int64
		ctx, cancel := context.WithCancel(t.Context())
		var done sync.WaitGroup
		for range 5 {
			done.Go(func() {
				for g.enter(ctx, 10) {
					entered.Add(1)
				}
			})
		}
		expect := func(when string, want int64) {
			t.Helper()
			synctest.Wait()
			if got := entered.Load(); got != want {
				t.Fatalf("%s: %d entered, want %d", when, got, want)
			}
		}
		expect("at first", 2)
		g.came(9)
		expect("with room for less than one", 2)
		g.came(1)
		expect("with room for one", 3)
		g.refund(10)
		expect("after a refusal", 4)
		for range 20 {
			g.came(1)
		}
		expect("after both are delivered", 6)
		cancel()
		done.Wait()
		if left := g.left(); left != 20 {
			t.Errorf("%d left, want 20", left)
		}
	})
}

func TestGateLetsOneInThatIsTooLarge(t *testing.T) {
	g := newGate(5)
	if !g.enter(t.Context(), 10) {
		t.Fatal("did not enter an empty gate")
	}
	g.owe(3)
	if g.take(1) {
		t.Error("entered a full gate")
	}
	g.came(13)
	if !g.take(1) {
		t.Error("did not enter when all was delivered")
	}
}
