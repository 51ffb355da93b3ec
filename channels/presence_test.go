package channels_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"reverb/channels"
)

const room = "presence-room"

func TestPresenceFirstInLastOut(t *testing.T) {
	h := newHub(t, channels.Options{})
	a, b, c := newSocket(), newSocket(), newSocket()

	join(t, h, room, a, `{"user_id":1,"user_info":{"name":"A"}}`)
	wantGot(t, "a", a, present(`{"count":1,"ids":[1],"hash":{"1":{"name":"A"}}}`))

	subB := join(t, h, room, b, `{"user_id":"2","user_info":null,"more":[1.0]}`)
	wantGot(t, "a", a, added(room, `{"user_id":"2","user_info":null,"more":[1.0]}`))
	wantGot(t, "b", b, present(`{"count":2,"ids":[1,"2"],"hash":{"1":{"name":"A"},"2":null}}`))

	// Another socket of the same user, though of another type and with other info.
	subC := join(t, h, room, c, `{"user_id":2,"user_info":{"name":"other"}}`)
	wantGot(t, "a", a)
	wantGot(t, "c", c, present(`{"count":2,"ids":[1,"2"],"hash":{"1":{"name":"A"},"2":null}}`))
	if info, ok := h.Info(app, room); !ok || info.Users != 2 || info.Subscriptions != 3 {
		t.Errorf("Info: %+v, %v", info, ok)
	}
	if got := h.UserSockets(app, "2"); len(got) != 2 {
		t.Errorf("sockets of 2: %d, want 2", len(got))
	}

	h.Unsubscribe(subB)
	h.Unsubscribe(subB)
	wantGot(t, "a", a)
	check(t, h)
	h.Unsubscribe(subC)
	wantGot(t, "a", a, removed(room, `2`)) // of the type that the last one sent
	wantGot(t, "b", b)
	wantGot(t, "c", c)
	check(t, h)
}

func TestPresenceAnonymous(t *testing.T) {
	for _, data := range []string{"", `{"name":"Joe"}`, `{"user_id":""}`, `{"user_id":null}`, `{"user_id":false}`, `[]`} {
		t.Run(data, func(t *testing.T) {
			h := newHub(t, channels.Options{})
			a, b, c := newSocket(), newSocket(), newSocket()
			join(t, h, room, a, `{"user_id":1}`)
			a.take()

			announced := data
			if announced == "" {
				announced = "{}"
			}
			subB := join(t, h, room, b, data)
			subC := join(t, h, room, c, data)
			wantGot(t, "a", a, added(room, announced), added(room, announced))
			wantGot(t, "b", b, present(`{"count":1,"ids":[1],"hash":{"1":null}}`), added(room, announced))
			if info, _ := h.Info(app, room); info.Users != 2 {
				t.Errorf("Users: %d, want 2", info.Users)
			}
			check(t, h)
			h.Unsubscribe(subB)
			h.Unsubscribe(subC)
			wantGot(t, "a", a)
			check(t, h)
		})
	}
}

// The user 0 is a user like another, though PHP takes its id for none.
func TestPresenceZero(t *testing.T) {
	for _, id := range []string{`0`, `"0"`} {
		h := newHub(t, channels.Options{})
		a, b, c := newSocket(), newSocket(), newSocket()
		zero := `{"user_id":` + id + `}`
		subA := join(t, h, room, a, zero)
		subB := join(t, h, room, b, zero)
		join(t, h, room, c, `{"user_id":1}`)
		wantGot(t, "a", a, present(`{"count":1,"ids":[`+id+`],"hash":{"0":null}}`), added(room, `{"user_id":1}`))
		wantGot(t, "c", c, present(`{"count":2,"ids":[`+id+`,1],"hash":{"0":null,"1":null}}`))
		check(t, h)
		h.Unsubscribe(subA)
		wantGot(t, "c", c)
		h.Unsubscribe(subB)
		wantGot(t, "c", c, removed(room, id))
		if info, _ := h.Info(app, room); info.Users != 1 {
			t.Errorf("Users: %d, want 1", info.Users)
		}
		check(t, h)
	}
}

func TestPresenceSubscribeAgain(t *testing.T) {
	one, two := `{"user_id":1,"user_info":"x"}`, `{"user_id":2}`
	tests := []struct {
		name        string
		first, then string
		others      []string // that the other socket gets
		reply       string
	}{
		{"same id", two, `{"user_id":"2","user_info":5}`, nil, `{"count":2,"ids":[1,"2"],"hash":{"1":"x","2":5}}`},
		{"other id", two, `{"user_id":3}`, []string{removed(room, `2`), added(room, `{"user_id":3}`)}, `{"count":2,"ids":[1,3],"hash":{"1":"x","3":null}}`},
		{"to an id that is there", two, one, []string{removed(room, `2`)}, `{"count":1,"ids":[1],"hash":{"1":"x"}}`},
		{"from an id that stays", one, two, []string{added(room, two)}, `{"count":2,"ids":[1,2],"hash":{"1":"x","2":null}}`},
		{"to anonymous", two, `{}`, []string{removed(room, `2`), added(room, `{}`)}, `{"count":1,"ids":[1],"hash":{"1":"x"}}`},
		{"from anonymous", "", two, []string{added(room, two)}, `{"count":2,"ids":[1,2],"hash":{"1":"x","2":null}}`},
		{"still anonymous", "", "", []string{added(room, `{}`)}, `{"count":1,"ids":[1],"hash":{"1":"x"}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHub(t, channels.Options{})
			other, s := newSocket(), newSocket()
			join(t, h, room, other, one)
			sub := join(t, h, room, s, tt.first)
			other.take()
			s.take()
			again := rejoin(t, h, room, s, sub, tt.then)
			if again != sub {
				t.Errorf("a second subscription of one socket")
			}
			wantGot(t, "other", other, tt.others...)
			wantGot(t, "s", s, present(tt.reply))
			if tt.then != "" && string(sub.Data().Raw) != tt.then {
				t.Errorf("Data: %s, want %s", sub.Data().Raw, tt.then)
			}
			check(t, h)
			h.Unsubscribe(sub)
			check(t, h)
		})
	}
}

func TestPresenceStringIDs(t *testing.T) {
	h := newHub(t, channels.Options{})
	a, b := newSocket(), newSocket()
	enter := func(s *socket, data string) *channels.Subscription {
		o := options(t, room, data)
		o.StringIDs = true
		sub, err := h.Subscribe(app, room, s, nil, o)
		if err != nil {
			t.Fatalf("Subscribe: %v", err)
		}
		return sub
	}
	enter(a, `{"user_id":"x","user_info":{},"more":1}`)
	sub := enter(b, `{"more":1,"user_id":10,"user_info":{"n":"B"}}`)
	wantGot(t, "b", b, present(`{"count":2,"ids":["x","10"],"hash":{"x":{},"10":{"n":"B"}}}`))
	h.Unsubscribe(sub)
	wantGot(t, "a", a, present(`{"count":1,"ids":["x"],"hash":{"x":{}}}`),
		added(room, `{"user_id":"10","user_info":{"n":"B"}}`), removed(room, `"10"`))
}

func TestPresenceMaxMembers(t *testing.T) {
	h := newHub(t, channels.Options{})
	enter := func(s *socket, old *channels.Subscription, data string) (*channels.Subscription, error) {
		o := options(t, room, data)
		o.MaxMembers = 2
		return h.Subscribe(app, room, s, old, o)
	}
	a, b, c := newSocket(), newSocket(), newSocket()
	_, errA := enter(a, nil, `{"user_id":1}`)
	subB, errB := enter(b, nil, `{"user_id":2}`)
	if errA != nil || errB != nil {
		t.Fatalf("Subscribe: %v, %v", errA, errB)
	}
	a.take()
	if sub, err := enter(c, nil, `{"user_id":3}`); !errors.Is(err, channels.ErrMembers) || sub != nil {
		t.Errorf("third user: %v, %v", sub, err)
	}
	if _, err := enter(c, nil, ""); !errors.Is(err, channels.ErrMembers) {
		t.Errorf("anonymous as third user: %v", err)
	}
	wantGot(t, "a", a)
	wantGot(t, "c", c)
	check(t, h)
	subC, err := enter(c, nil, `{"user_id":2}`)
	if err != nil {
		t.Fatalf("another socket of a user: %v", err)
	}
	if _, err := enter(b, subB, `{"user_id":3}`); !errors.Is(err, channels.ErrMembers) {
		t.Errorf("third user by subscribing again: %v", err)
	}
	if subB.Data().UserID != "2" {
		t.Errorf("a refused subscribe changed the data")
	}
	h.Unsubscribe(subC)
	if _, err := enter(b, subB, `{"user_id":3}`); err != nil {
		t.Errorf("3 in the place of 2: %v", err)
	}
	wantGot(t, "a", a, removed(room, `2`), added(room, `{"user_id":3}`))
	check(t, h)
}

// A roster above linearMembers has a map; rows go from the middle.
func TestPresenceManyUsers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := channels.NewHub(channels.Options{Workers: 2})
		defer h.Close()
		var subs []*channels.Subscription
		for i := range 5 * channels.LinearMembers {
			subs = append(subs, join(t, h, room, newSocket(), fmt.Sprintf(`{"user_id":%d,"user_info":{"né":"\"%d\u0001"}}`, i+1, i)))
		}
		synctest.Wait()
		check(t, h)
		for i, sub := range subs {
			if i%3 != 0 {
				h.Unsubscribe(sub)
			}
			synctest.Wait()
			check(t, h)
		}
		members, ok := h.Members(app, room)
		if !ok || len(members) != (len(subs)+2)/3 || members[1].ID != "4" || string(members[1].IDRaw) != "4" {
			t.Errorf("Members: %v, %v", members, ok)
		}
	})
}
