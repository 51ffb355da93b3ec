package envfile

import (
	"crypto/rand"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Assignment is one line that an environment file of a Laravel site gets.
type Assignment struct{ Name, Value string }

// Variables are those of Reverb's installer, with fresh credentials: an id between 100000 and 999999, a key and a
// secret of 20 lower-case letters and digits. The front end's copies begin with VITE_.
func Variables() []Assignment {
	return []Assignment{
		{"REVERB_APP_ID", strconv.Itoa(100_000 + random(900_000))},
		{"REVERB_APP_KEY", randomText(20)},
		{"REVERB_APP_SECRET", randomText(20)},
		{"REVERB_HOST", `"localhost"`},
		{"REVERB_PORT", "8080"},
		{"REVERB_SCHEME", "http"},
		{"VITE_REVERB_APP_KEY", `"${REVERB_APP_KEY}"`},
		{"VITE_REVERB_HOST", `"${REVERB_HOST}"`},
		{"VITE_REVERB_PORT", `"${REVERB_PORT}"`},
		{"VITE_REVERB_SCHEME", `"${REVERB_SCHEME}"`},
	}
}

// random is an unpredictable number from 0 up to n.
func random(n int64) int {
	number, err := rand.Int(rand.Reader, big.NewInt(n))
	if err != nil {
		panic("invariant: the system's random source does not fail: " + err.Error())
	}
	return int(number.Int64())
}

func randomText(n int) string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	text := make([]byte, n)
	for i := range text {
		text[i] = letters[random(int64(len(letters)))]
	}
	return string(text)
}

// Complete appends those variables to the text of an environment file that it does not have, and returns their
// names. What is there stays as it is, even if it is empty. (Reverb looks for a line break and the name, and so misses
// the first line.)
func Complete(env string, variables []Assignment) (text string, added []string) {
	eol := "\n"
	if strings.Contains(env, "\r\n") {
		eol = "\r\n"
	}
	var lines strings.Builder
	for _, v := range variables {
		if assignmentOf(v.Name).MatchString(env) {
			continue
		}
		// An empty line parts the front end's variables from the server's.
		if strings.HasPrefix(v.Name, "VITE_") && len(added) > 0 && !strings.HasPrefix(added[len(added)-1], "VITE_") {
			lines.WriteString(eol)
		}
		added = append(added, v.Name)
		lines.WriteString(v.Name + "=" + v.Value + eol)
	}
	if len(added) == 0 {
		return env, nil
	}
	if env != "" {
		if !strings.HasSuffix(env, "\n") {
			env += eol
		}
		env += eol
	}
	return env + lines.String(), added
}

// broadcaster matches a line that sets what Laravel broadcasts through (BROADCAST_DRIVER before Laravel 11).
var broadcaster = regexp.MustCompile(
	`(?m)^(?P<before>[ \t]*(?:export[ \t]+)?(?P<name>BROADCAST_(?:DRIVER|CONNECTION))[ \t]*=[ \t]*)(?P<value>"[^"\r\n]*"|'[^'\r\n]*'|[^\s#]*)(?P<after>.*)$`)

// Broadcast has the site broadcast through Reverb, where the text says through what at all, as Laravel's
// installer does.
func Broadcast(env string) string {
	return broadcaster.ReplaceAllString(env, "${before}reverb${after}")
}

// OtherBroadcasters are the lines that Broadcast changes, as they are.
func OtherBroadcasters(env string) (others []Assignment) {
	for _, m := range broadcaster.FindAllStringSubmatch(env, -1) {
		name, value := m[broadcaster.SubexpIndex("name")], strings.Trim(m[broadcaster.SubexpIndex("value")], `"'`)
		if value != "reverb" {
			others = append(others, Assignment{name, value})
		}
	}
	return others
}

// assignmentOf matches a line that sets name, and captures the value.
func assignmentOf(name string) *regexp.Regexp {
	return regexp.MustCompile(`(?m)^[ \t]*(?:export[ \t]+)?` + regexp.QuoteMeta(name) + `[ \t]*=[ \t]*(.*)$`)
}

// Value is the value of a variable as an environment file has it, without quotes; the last line counts.
func Value(env, name string) string {
	matches := assignmentOf(name).FindAllStringSubmatch(env, -1)
	if len(matches) == 0 {
		return ""
	}
	value, _, _ := strings.Cut(matches[len(matches)-1][1], " #")
	return strings.Trim(strings.TrimSpace(value), `"'`)
}

// Replace puts text in the place of the file in one step, so that nobody ever reads half of it. The file keeps its
// mode and owner, and a symbolic link (deploy tools share one .env between releases) stays one. A new file is for its
// owner only: it holds secrets.
func Replace(name, text string) error {
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	temporary, err := os.CreateTemp(filepath.Dir(name), ".env-*") // with mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temporary.Name()) }() // nothing to remove after the rename
	_, err = temporary.WriteString(text)
	if err == nil {
		err = temporary.Sync()
	}
	if closeErr := temporary.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if info, err := os.Stat(name); err == nil {
		if err := keepOwner(temporary.Name(), info); err != nil {
			return err
		}
		if err := os.Chmod(temporary.Name(), info.Mode().Perm()); err != nil {
			return err
		}
	}
	return os.Rename(temporary.Name(), name)
}
