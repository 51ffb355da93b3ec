// Package journal is everything that a running server writes: what Laravel's users know, and the stream of `start
// --debug`, on stdout; the records of the log on stderr.
package journal

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"reverb/config"
	"reverb/internal/console"
	"reverb/internal/logging"
)

// How long a server that ends waits for its last lines to be taken: as long as they move, and not longer than
// flushLimit.
const (
	flushPatience = 100 * time.Millisecond
	flushLimit    = time.Second
)

// Options say where a Journal writes to, and how.
type Options struct {
	Stdout, Stderr *console.Console
	Log            config.Log
	Debug          bool // all levels, whatever Log says

	// Notify and Forget are signal.Notify and signal.Stop.
	Notify func(chan<- os.Signal, ...os.Signal)
	Forget func(chan<- os.Signal)
}

// Journal writes in one style to both outputs. No call waits for either. All methods may be called from any goroutine.
type Journal struct {
	// Constant after New.
	log      *slog.Logger
	level    slog.Level
	handler  func(looks *console.Console, w io.Writer, level slog.Level) slog.Handler
	json     *slog.Logger     // of stdout; nil: the format is that of the console
	console  *console.Console // of stdout
	failures *console.Console // of stderr
	stdout   *logging.Queue   // below console
	queues   []*logging.Queue
	forget   func()
}

// New puts queues before the outputs of a process.
func New(o Options) *Journal {
	// A reader that has gone must not end the process, nor decide its exit code.
	gone := make(chan os.Signal, 1)
	o.Notify(gone, syscall.SIGPIPE)
	j := &Journal{level: o.Log.Slog(), handler: console.Records, forget: func() { o.Forget(gone) }}
	if o.Debug {
		j.level = slog.LevelDebug
	}
	if o.Log.Format == config.LogJSON {
		j.handler = jsonRecords
	}
	below := j.begin(o.Stderr)
	j.stdout = below
	if !sameOutput(o.Stdout.Output(), o.Stderr.Output()) {
		j.stdout = j.begin(o.Stdout)
	}
	j.console, j.failures = o.Stdout.To(j.stdout), o.Stderr.To(below)
	j.log = slog.New(j.handler(j.failures, below, j.level))
	if o.Log.Format == config.LogJSON {
		j.json = slog.New(j.handler(j.console, j.stdout, j.level))
	}
	return j
}

// Log is the log of the server, on stderr.
func (j *Journal) Log() *slog.Logger { return j.log }

// begin puts a queue before the output of a console.
func (j *Journal) begin(c *console.Console) *logging.Queue {
	q := logging.NewQueue(c.Output(), func(lost uint64) []byte {
		var line bytes.Buffer
		slog.New(j.handler(c, &line, slog.LevelDebug)).Warn("lines of this log were dropped, because nothing took them", "lines", lost)
		return line.Bytes()
	})
	j.queues = append(j.queues, q)
	return q
}

func jsonRecords(_ *console.Console, w io.Writer, level slog.Level) slog.Handler {
	return logging.NewJSON(w, level)
}

// sameOutput reports whether two outputs lead to one file, terminal or pipe. They need one queue then: lines of two
// would mix.
func sameOutput(a, b io.Writer) bool {
	x, ok := a.(*os.File)
	y, ok2 := b.(*os.File)
	if !ok || !ok2 {
		return false
	}
	infoX, errX := x.Stat()
	infoY, errY := y.Stat()
	return errX == nil && errY == nil && os.SameFile(infoX, infoY)
}

// Close writes what waits, within bounds. Lines that come later are lost.
func (j *Journal) Close() {
	var all sync.WaitGroup
	for _, q := range j.queues {
		all.Go(func() {
			q.Flush(flushPatience, flushLimit)
			q.Close()
		})
	}
	all.Wait()
	j.forget()
}

// Dropped is how many lines were lost because nothing took them.
func (j *Journal) Dropped() (n uint64) {
	for _, q := range j.queues {
		n += q.Dropped()
	}
	return n
}

// Info tells what Laravel would tell in a block.
func (j *Journal) Info(text string) {
	switch {
	case j.level > slog.LevelInfo:
	case j.json != nil:
		j.json.Info(text)
	default:
		j.console.Info(text)
	}
}

// Plain tells lines as they are.
func (j *Journal) Plain(lines string) {
	switch {
	case j.level > slog.LevelInfo:
	case j.json != nil:
		j.json.Info(strings.TrimSpace(lines))
	default:
		j.console.Text(lines)
	}
}

// Detail tells how something stands.
func (j *Journal) Detail(title, value string) {
	switch {
	case j.level > slog.LevelInfo:
	case j.json != nil:
		j.json.Info(title, "detail", value)
	default:
		j.console.Detail(title, value)
	}
}

// Progress tells how far something has come.
func (j *Journal) Progress(title, value string, done, total int) {
	switch {
	case j.level > slog.LevelInfo:
	case j.json != nil:
		j.json.Info(title, "detail", value, "done", done, "total", total)
	default:
		j.console.Progress(title, value, done, total)
	}
}

// ProgressEnd follows the last Progress.
func (j *Journal) ProgressEnd() {
	if j.json == nil && j.level <= slog.LevelInfo {
		j.console.ProgressEnd()
	}
}

// Fail tells an error that the server ends with.
func (j *Journal) Fail(err error) {
	if j.json != nil {
		j.log.Error(strings.TrimRight(err.Error(), "\n"))
		return
	}
	j.failures.Fail(err.Error())
}
