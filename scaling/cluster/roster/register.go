package roster

import "time"

// redisBack says that Redis may know nothing of this node, or knows it by another id.
func (t *teller) redisBack(formerID string) {
	t.registeredAs = "" // Redis may have been emptied
	if formerID != "" {
		t.formerIDs = append(t.formerIDs, formerID)
	}
	if t.v.open || len(t.v.list.users) > 0 || len(t.formerIDs) > 0 {
		t.register()
	}
}

// register tells the cluster that this node has users in the channel, before it has.
func (t *teller) register() {
	at := t.v.at
	if t.registering || t.registeredAs == at.Node || !at.Alive || !at.Online {
		return
	}
	t.registering = true
	t.v.command(Register{at.Node})
}

func (t *teller) registered(in Registered) {
	t.registering = false
	if in.Err != nil {
		t.v.wantTick()
		return
	}
	t.registeredAs = in.To.Node
	for _, u := range t.users() {
		t.tell(u)
		t.v.list.forget(u)
	}
	formerIDs := t.formerIDs
	t.formerIDs = nil
	for _, id := range formerIDs {
		t.v.command(DropNode{id}) // if it fails, the node that looks after the dead does it
	}
}

// unregister is the end of that.
func (t *teller) unregister() {
	if t.registeredAs != "" {
		t.v.command(Unregister{t.registeredAs})
		t.registeredAs = ""
	}
}

// endGraces takes out those to whom this node gave a grace that is over. If this node is gone by then, the node that looks after it does that.
func (t *teller) endGraces() {
	if t.graceOver.IsZero() {
		return
	}
	t.v.wantTick()
	if t.v.at.Now.Before(t.graceOver) {
		return
	}
	t.graceOver = t.v.at.Now.Add(t.v.settings.Grace) // if there is no answer
	t.v.command(EndGraces{t.gracesGiven})
}

func (t *teller) gracesEnded(in GracesEnded) {
	switch {
	case in.Err != nil:
	case in.Left > 0:
		t.graceOver = t.v.at.Now.Add(t.v.settings.Beat)
	case in.To.given == t.gracesGiven: // else one more was given since
		t.graceOver = time.Time{}
	}
}
