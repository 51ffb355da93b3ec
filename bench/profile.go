package bench

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/BurntSushi/toml"
)

// profile is a file of runs that can be repeated.
type profile struct {
	Servers map[string]Server `toml:"servers"` // that --compare and --server may name
	Runs    []Settings        `toml:"-"`
}

// readProfile reads a file and checks all of it.
func readProfile(name string) (profile, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return profile{}, fmt.Errorf("read profile: %w", err)
	}
	p, err := parseProfile(string(text))
	if err != nil {
		return profile{}, fmt.Errorf("profile %s: %w", name, err)
	}
	return p, nil
}

// parseProfile reads the text of a profile. Each [[run]] begins with the defaults of its scenario.
func parseProfile(text string) (profile, error) {
	var file struct {
		profile
		Run []toml.Primitive `toml:"run"`
	}
	meta, err := toml.Decode(text, &file)
	if err != nil {
		return profile{}, err
	}
	p := file.profile
	var errs []error
	for n, primitive := range file.Run {
		set, err := parseRun(meta, primitive)
		if err != nil {
			errs = append(errs, fmt.Errorf("run %d: %w", n+1, err))
		}
		p.Runs = append(p.Runs, set)
	}
	for _, key := range meta.Undecoded() {
		errs = append(errs, fmt.Errorf("%s is not known", key))
	}
	for _, name := range slices.Sorted(maps.Keys(p.Servers)) {
		s := p.Servers[name]
		s.Name = name
		p.Servers[name] = s
	}
	return p, errors.Join(errs...)
}

func parseRun(meta toml.MetaData, primitive toml.Primitive) (Settings, error) {
	var keys map[string]any
	if err := meta.PrimitiveDecode(primitive, &keys); err != nil {
		return Settings{}, err
	}
	name, _ := keys["scenario"].(string)
	sc, err := scenarioNamed(name)
	if err != nil {
		return Settings{}, err
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if key != "name" && key != "scenario" && !sc.reads(key) {
			return Settings{}, fmt.Errorf("%s has no setting %q", name, key)
		}
	}
	set := sc.settings()
	if err := meta.PrimitiveDecode(primitive, &set); err != nil {
		return Settings{}, err
	}
	return set, set.validate()
}
