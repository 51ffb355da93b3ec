package cluster

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"

	"reverb/protocol"
	"reverb/scaling"
	"reverb/scaling/bus"
	"reverb/scaling/cluster/roster"
)

// channelView is one presence channel of this node: it carries out what a roster.View asks for. It is owned by the channel's lane.
type channelView struct {
	// Constant after construction.
	p            *presence
	app, channel string
	events       string

	view   *roster.View
	opened func() // to be called when the roster is in the hub; nil: it was
	over   bool   // another view may be in its place
}

func newChannelView(p *presence, app, channel, events string) *channelView {
	settings := roster.Settings{Beat: p.o.Beat, Grace: p.o.Grace, Retell: p.o.Retell}
	return &channelView{p: p, app: app, channel: channel, events: events, view: roster.New(settings)}
}

// open begins to follow: opened is called when the roster is in the hub.
func (c *channelView) open(opened func()) {
	c.opened = opened
	c.step(roster.Open{})
}

// close ends following: opened is not called any more, nor is the Handler.
func (c *channelView) close() {
	c.opened = nil
	c.step(roster.Close{})
}

// step has the view take an input, and does what it asks for.
func (c *channelView) step(in roster.Input) {
	out := c.view.Step(in, c.p.moment())
	for _, e := range out.Events {
		c.tell(e)
	}
	for _, command := range out.Commands {
		c.do(command)
	}
	switch {
	case out.Over && !c.over:
		c.over = true
		c.p.forget(c)
	case out.Tick:
		c.p.tickNext(c)
	}
}

// tell brings an event to this node.
func (c *channelView) tell(e roster.Event) {
	switch e.Kind {
	case roster.MemberAdded:
		c.p.handler.MemberAdded(c.app, c.channel, e.Member)
	case roster.MemberRemoved:
		c.p.handler.MemberRemoved(c.app, c.channel, e.UserID)
	case roster.Answered:
		if errors.Is(e.Err, roster.ErrFull) {
			e.Err = scaling.ErrMembers
		}
		e.Done(e.Err)
	case roster.Opened:
		if opened := c.opened; opened != nil {
			c.opened = nil
			opened()
		}
	}
}

// do sends a command. The reply is the view's next input.
func (c *channelView) do(command roster.Command) {
	switch to := command.(type) {
	case roster.TellJoin:
		args := []string{to.UserID, string(to.Data), strconv.Itoa(to.Most), newNodeID().String()}
		c.ask(c.p.rosterCommand(joinScript, c.events, to.Node, args...), func(r bus.Reply) roster.Input { return c.joinTold(to, r) })
	case roster.TellLeave:
		args := []string{to.UserID, milliseconds(to.Grace)}
		c.ask(c.p.rosterCommand(leaveScript, c.events, to.Node, args...), func(r bus.Reply) roster.Input { return c.leaveTold(to, r) })
	case roster.Fetch:
		c.ask(c.p.rosterCommand(fetchScript, c.events, to.Node), func(r bus.Reply) roster.Input { return c.fetched(to, r) })
	case roster.Compare:
		c.ask(c.p.rosterCommand(checkScript, c.events, to.Node), func(r bus.Reply) roster.Input {
			at, held, err := readCompared(r)
			return roster.Compared{To: to, At: at, Held: held, Err: err}
		})
	case roster.Register:
		c.ask(c.registration("SADD", to.Node), func(r bus.Reply) roster.Input {
			c.p.complainOf("register a channel", r.Err())
			return roster.Registered{To: to, Err: r.Err()}
		})
	case roster.Unregister:
		c.p.bus.Do(c.registration("SREM", to.Node), nil)
	case roster.DropNode:
		c.p.dropAll(c.events, to.Node, 0, func(int64, error) {})
	case roster.EndGraces:
		c.ask(c.p.dropCommand(c.events, "", false, 0), func(r bus.Reply) roster.Input {
			_, left, err := dropped(r)
			return roster.GracesEnded{To: to, Left: int(left), Err: err}
		})
	}
}

// ask sends a command, and has the view take what read makes of the reply, on the channel's lane.
func (c *channelView) ask(command bus.Command, read func(bus.Reply) roster.Input) {
	c.p.bus.Do(command, func(r bus.Reply) { c.p.lanes.run(c.events, func() { c.step(read(r)) }) })
}

// registration is in which channels a node has users.
func (c *channelView) registration(command, node string) bus.Command {
	return bus.Command{Name: command, Keys: []string{c.p.names.channelsOf(node)}, Args: []string{c.events}}
}

func (c *channelView) joinTold(to roster.TellJoin, reply bus.Reply) roster.Input {
	in := roster.JoinTold{To: to}
	in.Full, in.At, in.Elsewhere, in.Err = readJoined(reply)
	c.p.complainOf("join", in.Err)
	return in
}

func (c *channelView) leaveTold(to roster.TellLeave, reply bus.Reply) roster.Input {
	in := roster.LeaveTold{To: to}
	in.At, in.Err = readLeft(reply)
	c.p.complainOf("leave", in.Err)
	return in
}

func (c *channelView) fetched(to roster.Fetch, reply bus.Reply) roster.Input {
	in, err := readFetched(reply)
	c.p.complainOf("fetch a roster", err)
	in.To, in.Err = to, err
	return in
}

// readJoined reads the reply of scripts/join.lua.
func readJoined(reply bus.Reply) (full bool, at roster.Position, elsewhere bool, err error) {
	parts, err := reply.List()
	if err != nil || len(parts) != 4 {
		return false, at, false, orMalformed(err)
	}
	outcome, err := parts[0].Text()
	if err != nil {
		return false, at, false, err
	}
	if at, err = positionOf(parts[1], parts[2]); err != nil {
		return false, at, false, err
	}
	n, err := parts[3].Int()
	return outcome == "full", at, n == 1, err
}

// readLeft reads the reply of scripts/leave.lua: the position to which the end of the user has brought the roster; none if it was not the end.
func readLeft(reply bus.Reply) (at roster.Position, err error) {
	parts, err := reply.List()
	if err != nil || len(parts) != 3 {
		return at, orMalformed(err)
	}
	sign, err := parts[0].Text()
	if err != nil || sign != string(roster.SignRemoved) {
		return at, err // the last delta of a generation leads to no position
	}
	return positionOf(parts[1], parts[2])
}

// readFetched reads the reply of scripts/fetch.lua.
func readFetched(reply bus.Reply) (in roster.Fetched, err error) {
	parts, err := reply.List()
	if err != nil || len(parts) != 4 {
		return in, orMalformed(err)
	}
	if in.At, err = positionOf(parts[0], parts[1]); err != nil {
		return in, err
	}
	flat, err := parts[2].Texts()
	if err != nil {
		return in, err
	}
	in.Members = membersOf(flat)
	in.Ours, err = parts[3].Texts()
	return in, err
}

// membersOf reads user ids with their members, and puts them into the order in which they came.
func membersOf(flat []string) []*protocol.MemberData {
	type member struct {
		came uint64
		data *protocol.MemberData
	}
	members := make([]member, 0, len(flat)/2)
	for pair := range slices.Chunk(flat, 2) {
		if len(pair) != 2 {
			break
		}
		came, data, _ := strings.Cut(pair[1], " ")
		version, err := strconv.ParseUint(came, 10, 64)
		if err != nil {
			continue
		}
		if m, err := roster.ParseMember(data); err == nil {
			members = append(members, member{version, m})
		}
	}
	slices.SortFunc(members, func(a, b member) int { return cmp.Compare(a.came, b.came) })
	data := make([]*protocol.MemberData, 0, len(members))
	for _, m := range members {
		data = append(data, m.data)
	}
	return data
}

// readCompared reads the reply of scripts/check.lua.
func readCompared(reply bus.Reply) (at roster.Position, held int, err error) {
	parts, err := reply.List()
	if err != nil || len(parts) != 3 {
		return at, 0, orMalformed(err)
	}
	if at, err = positionOf(parts[0], parts[1]); err != nil {
		return at, 0, err
	}
	n, err := parts[2].Int()
	return at, int(n), err
}

// positionOf reads generation and version, as they stand in a reply.
func positionOf(generation, version bus.Reply) (roster.Position, error) {
	g, err := generation.Text()
	if err != nil {
		return roster.Position{}, err
	}
	n, err := version.Text()
	if err != nil {
		return roster.Position{}, err
	}
	return roster.ParsePosition(g, n)
}

func orMalformed(err error) error {
	if err == nil {
		return roster.ErrMalformed
	}
	return err
}
