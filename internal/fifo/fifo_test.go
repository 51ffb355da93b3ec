package fifo_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"reverb/internal/fifo"
)

// Random operations on two queues do what they do to two slices.
func TestQueueIsASlice(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var queues [2]fifo.Queue[int]
	var models [2][]int
	next := 0
	for step := range 200_000 {
		i := random.IntN(2)
		q, m, other := &queues[i], &models[i], 1-i
		switch random.IntN(40) {
		case 0:
			q.Append(&queues[other])
			*m, models[other] = append(*m, models[other]...), nil
		case 1:
			q.Prepend(&queues[other])
			*m, models[other] = append(slices.Clip(models[other]), *m...), nil
		case 2:
			all := q.TakeAll()
			if q.Len() != 0 || q.Front() != nil {
				t.Fatalf("step %d: %d entries are left", step, q.Len())
			}
			q.Append(&all)
		default:
			if random.IntN(100) < 50 {
				q.Push(next)
				*m = append(*m, next)
				next++
				break
			}
			want := 0
			if len(*m) > 0 {
				want, *m = (*m)[0], (*m)[1:]
			}
			if front := q.Front(); front != nil && *front != want {
				t.Fatalf("step %d: front %d, want %d", step, *front, want)
			}
			if got := q.Pop(); got != want {
				t.Fatalf("step %d: got %d, want %d", step, got, want)
			}
		}
		if q.Len() != len(*m) {
			t.Fatalf("step %d: %d entries, want %d", step, q.Len(), len(*m))
		}
	}
}

// A queue that is filled and emptied again and again allocates nothing more.
func TestQueueReusesItsChunks(t *testing.T) {
	var q fifo.Queue[[10]int]
	round := func() {
		for range 1000 {
			q.Push([10]int{})
		}
		for q.Len() > 0 {
			q.Pop()
		}
	}
	round()
	if n := testing.AllocsPerRun(100, round); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
