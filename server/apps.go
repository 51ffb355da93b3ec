package server

import (
	"sync/atomic"

	"reverb/config"
)

// apps are the applications of the node. Every message and request reads them, without a lock; a reload replaces them.
type apps struct {
	serving atomic.Pointer[directory] // replaced as a whole
	retired map[string]*app           // by id: those that are not served any more and may have connections. Guarded by Server.reload
}

// directory is the apps that are served, all as one configuration has them. It does not change.
type directory struct {
	byKey map[string]*settings // by present and previous keys
	byID  map[string]*settings
}

func newApps() *apps {
	a := &apps{retired: make(map[string]*app)}
	a.serving.Store(new(directory))
	return a
}

// get returns the application with this id, nil if there is none.
func (a *apps) get(id string) *app {
	if set := a.serving.Load().byID[id]; set != nil {
		return set.app
	}
	return nil
}

// configured returns the application with this id as it is configured now, nil if there is none.
func (a *apps) configured(id string) *config.App {
	if set := a.serving.Load().byID[id]; set != nil {
		return set.App
	}
	return nil
}

// byKey returns the settings of the application with this key, present or previous, nil if there is none.
func (a *apps) byKey(key string) *settings { return a.serving.Load().byKey[key] }

// all are the settings of the applications by id; not to be changed.
func (a *apps) all() map[string]*settings { return a.serving.Load().byID }

// known is the app with this id: one that is served, or one whose connections are not all closed yet; nil: it is new.
// The caller holds Server.reload.
func (a *apps) known(id string) *app {
	if served := a.get(id); served != nil {
		return served
	}
	return a.retired[id]
}

// replace makes now the apps that are served, and returns those whose connections are to be closed for it. The caller
// holds Server.reload.
func (a *apps) replace(now *directory) (closing map[*app]bool) {
	before := a.serving.Load()
	closing = make(map[*app]bool)
	// First of all each app has its new settings, so that a session that is admitted by now cannot find the former
	// ones.
	for id, set := range now.byID {
		was := set.app.settings.Swap(set)
		if set.closed != nil && was != nil && was.closed == nil {
			closing[set.app] = true
		}
		delete(a.retired, id)
	}
	a.serving.Store(now)
	for id, former := range a.retired {
		if former.open.Load() == 0 {
			delete(a.retired, id)
		}
	}
	for id, set := range before.byID {
		if now.byID[id] != nil {
			continue
		}
		if set.closed == nil {
			closing[set.app] = true
		}
		set.app.retire()
		a.retired[id] = set.app
	}
	return closing
}

func (d *directory) add(set *settings) {
	d.byID[set.ID] = set
	d.byKey[set.Key] = set
	for _, key := range set.PreviousKeys {
		d.byKey[key] = set
	}
}

// taken reports whether the id, or a key, is another app's.
func (d *directory) taken(conf *config.App) bool {
	return d.byID[conf.ID] != nil || conf.AnyKey(func(key string) bool { return d.byKey[key] != nil })
}
