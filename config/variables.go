package config

// Variable is one variable of the site's environment, as Laravel would read it.
type Variable struct {
	Value  string // ${NAME} is expanded; what stands as ${NAME} here names nothing
	Source string // ".env:3", "environment"
}

// Variables are all variables of .env and, over them, the environment: also those that no key is filled from, for
// whoever compares what the site's parts are told. Values may be secrets. The error lists the lines that cannot be
// read; the others are returned beside it.
func Variables(s Source) (map[string]Variable, error) {
	l := &loader{cfg: Default(), problems: newProblems(nil)}
	all := map[string]Variable{}
	for name, v := range l.variables(s) {
		value, _ := laravelWord(v.value)
		all[name] = Variable{Value: value, Source: v.origin.String()}
	}
	return all, l.err()
}
