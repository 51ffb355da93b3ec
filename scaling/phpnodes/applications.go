package phpnodes

import (
	"fmt"
	"unicode/utf8"

	"reverb/laravel/php"
)

// applications are the serialised forms of the apps. It is immutable.
type applications struct {
	objects map[string]php.Object // by id
	quoted  map[string][]byte     // JSON of the serialised object, by id
}

// newApplications refuses what JSON would change: the lengths in PHP's format count bytes, and PHP nodes would end over wrong ones.
func newApplications(apps []App, whole bool) (*applications, error) {
	a := &applications{objects: make(map[string]php.Object), quoted: make(map[string][]byte)}
	for i := range apps {
		o := minimalApp(apps[i].ID)
		if whole {
			o = apps[i].object()
		}
		a.objects[apps[i].ID] = o
		serialised := php.Append(nil, o)
		if !utf8.Valid(serialised) {
			return nil, fmt.Errorf("app %q: not UTF-8", apps[i].ID)
		}
		a.quoted[apps[i].ID] = appendQuote(nil, serialised)
	}
	return a, nil
}

// object is the app of a question.
func (a *applications) object(id string) php.Object {
	if o, ok := a.objects[id]; ok {
		return o
	}
	return minimalApp(id)
}

// json is the app of an event: its serialised form as JSON, not to be changed. It is nil for an id that cannot be written.
func (a *applications) json(id string) []byte {
	if q, ok := a.quoted[id]; ok {
		return q
	}
	if !utf8.ValidString(id) {
		return nil
	}
	return appendQuote(nil, php.Append(nil, minimalApp(id)))
}

// appIDs remembers what serialised applications are called. There are as many of them as apps, and they come with every message. It is
// owned by the inbox's worker.
type appIDs map[string]string

// maxAppIDs is how many are remembered; with more all are forgotten.
const maxAppIDs = 1024

// of is the id of a serialised application, given as JSON.
func (ids appIDs) of(application []byte) (string, error) {
	if id, ok := ids[string(application)]; ok {
		return id, nil
	}
	id, err := readApp(application)
	if err != nil {
		return "", err
	}
	if len(ids) >= maxAppIDs {
		clear(ids)
	}
	ids[string(application)] = id
	return id, nil
}
