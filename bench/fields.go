package bench

import (
	"fmt"
	"iter"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"reverb/bench/report"
)

// field is one setting, made from the tags of Settings.
type field struct {
	key, usage string
	value      reflect.Value
}

// fields are the settings with a usage, in the order of the struct; changing a value changes s.
func (s *Settings) fields() iter.Seq[field] {
	return func(yield func(field) bool) {
		v := reflect.ValueOf(s).Elem()
		for i := range v.NumField() {
			tag := v.Type().Field(i).Tag
			if usage := tag.Get("usage"); usage != "" && !yield(field{tag.Get("toml"), usage, v.Field(i)}) {
				return
			}
		}
	}
}

// flag is the name on the command line.
func (f field) flag() string { return strings.ReplaceAll(f.key, "_", "-") }

// cli is the setting as a flag.
func (f field) cli() cli.Flag {
	switch v := f.value.Interface().(type) {
	case time.Duration:
		return &cli.DurationFlag{Name: f.flag(), Usage: f.usage, Value: v}
	case int:
		return &cli.IntFlag{Name: f.flag(), Usage: f.usage, Value: v}
	case float64:
		return &cli.Float64Flag{Name: f.flag(), Usage: f.usage, Value: v}
	case bool:
		return &cli.BoolFlag{Name: f.flag(), Usage: f.usage, Value: v}
	case []string:
		return &cli.StringSliceFlag{Name: f.flag(), Usage: f.usage}
	default:
		return &cli.StringFlag{Name: f.flag(), Usage: f.usage, Value: fmt.Sprint(v)}
	}
}

// read takes the setting from the command line.
func (f field) read(c *cli.Context) {
	switch f.value.Interface().(type) {
	case time.Duration:
		f.value.SetInt(int64(c.Duration(f.flag())))
	case int:
		f.value.SetInt(int64(c.Int(f.flag())))
	case float64:
		f.value.SetFloat(c.Float64(f.flag()))
	case bool:
		f.value.SetBool(c.Bool(f.flag()))
	case []string:
		f.value.Set(reflect.ValueOf(c.StringSlice(f.flag())))
	default:
		f.value.SetString(c.String(f.flag()))
	}
}

// params are the settings that the scenario reads, for the report.
func (s *Settings) params() []report.Pair {
	sc, err := scenarioNamed(s.Scenario)
	if err != nil {
		return nil
	}
	var pairs []report.Pair
	for f := range s.fields() {
		if !sc.reads(f.key) || f.value.IsZero() && f.value.Kind() != reflect.Bool && f.key != "rate" {
			continue
		}
		value := fmt.Sprint(f.value.Interface())
		switch v := f.value.Interface().(type) {
		case float64:
			if value = strconv.FormatFloat(v, 'f', -1, 64); v == 0 {
				value = "as fast as it goes"
			}
		case []string:
			value = strings.Join(v, " ")
		}
		pairs = append(pairs, report.Pair{Name: strings.ReplaceAll(f.key, "_", " "), Value: value})
	}
	return pairs
}

// title names the run: as its profile does, else by its scenario.
func (s *Settings) title() string {
	if s.Name != "" {
		return s.Name
	}
	return s.Scenario
}
