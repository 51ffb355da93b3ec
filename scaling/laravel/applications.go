package laravel

import (
	"fmt"
	"unicode/utf8"

	"reverb/scaling/php"
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
