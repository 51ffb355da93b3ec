package cluster

import (
	"strings"
	"testing"
	"time"

	"reverb/protocol"
	"reverb/scaling"
)

// listener notes what is announced.
type listener struct {
	scaling.Handler
	told []string
}

func (l *listener) MemberAdded(_, _ string, m *protocol.MemberData) {
	l.told = append(l.told, "+"+m.UserID)
}
func (l *listener) MemberRemoved(_, _, id string) { l.told = append(l.told, "-"+id) }

// A fetch finds another generation than the one that the replica has. Members of the old one are gone as soon as it is known that the last of
// them has left, be that from a delta that came before the reply or from one that comes after it; else Redis may have lost them.
func TestGenerationThatIsOver(t *testing.T) {
	added := func(generation string, version uint64, user string) delta {
		m, err := parseMember(`{"user_id":"` + user + `"}`)
		if err != nil {
			t.Fatal(err)
		}
		return delta{position: position{generation, version}, sign: signAdded, member: m, userID: user}
	}
	last := func(generation string, version uint64, user string) delta {
		return delta{position: position{generation, version}, sign: signLast, userID: user}
	}
	empty := fetched{}
	next := fetched{at: position{"g2", 1}, members: []*protocol.MemberData{added("g2", 1, "new").member}}
	for name, c := range map[string]struct {
		found   fetched
		pending []delta // before the reply
		late    []delta // after it
		want    string
	}{
		"nobody is left, told before":  {empty, []delta{last("g1", 2, "old")}, nil, "+old -old"},
		"nobody is left, told after":   {empty, nil, []delta{last("g1", 2, "old")}, "+old -old"},
		"it began while it was asked":  {empty, []delta{added("g1", 1, "old"), last("g1", 2, "old")}, nil, "+old -old"},
		"another began, told before":   {next, []delta{last("g1", 2, "old"), added("g2", 1, "new")}, nil, "+old +new -old"},
		"another began, told after":    {next, nil, []delta{last("g1", 2, "old"), added("g2", 1, "new")}, "+old +new -old"},
		"Redis was emptied":            {empty, nil, nil, "+old"},
		"Redis was emptied and filled": {next, []delta{added("g2", 1, "new")}, []delta{added("g2", 2, "more")}, "+old +new +more"},
	} {
		t.Run(name, func(t *testing.T) {
			l := &listener{}
			r := newReplica(&presence{handler: l, o: Options{Settle: time.Minute}, marked: make(map[*replica]struct{})}, "app", "room", "events")
			r.open, r.live = true, true
			r.take(added("g1", 1, "old"))
			r.follow(c.found, "", c.pending)
			for _, d := range c.late {
				r.take(d)
			}
			if got := strings.Join(l.told, " "); got != c.want {
				t.Errorf("told %q, want %q", got, c.want)
			}
		})
	}
}
