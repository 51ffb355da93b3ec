package roster

import "fmt"

// Inconsistent says what a View may not be in between two steps; empty: it is not.
func (v *View) Inconsistent() string {
	shown, held, busy := 0, 0, 0
	for id, u := range v.list.users {
		switch {
		case u.id != id:
			return fmt.Sprintf("%s is called %s", id, u.id)
		case u.sockets < len(u.joins):
			return fmt.Sprintf("%s has %d sockets and %d joins", id, u.sockets, len(u.joins))
		case !u.shown && !u.inRoster && u.sockets == 0 && u.heldAs == "" && !u.busy:
			return id + " is not forgotten"
		case v.open && u.shown && !u.inRoster && u.sockets == 0 && !v.list.missing.has(u) && !u.busy:
			return id + " is shown and nothing speaks for it"
		}
		if u.shown {
			shown++
		}
		if u.heldAs != "" {
			held++
		}
		if u.busy {
			busy++
		}
	}
	for u := range v.list.missing.until {
		if v.list.users[u.id] != u || !u.shown {
			return u.id + " is missing and not shown"
		}
	}
	for u := range v.teller.again {
		if v.list.users[u.id] != u {
			return u.id + " is to be told of and forgotten"
		}
	}
	if shown != v.list.shown || held != v.teller.held || busy != v.teller.busy {
		return fmt.Sprintf("counted %d shown, %d held, %d busy: %d, %d, %d", shown, held, busy, v.list.shown, v.teller.held, v.teller.busy)
	}
	return ""
}
