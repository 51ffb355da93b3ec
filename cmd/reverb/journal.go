package main

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"reverb/config"
	"reverb/internal/logging"
)

// How long a server that ends waits for its last lines to be taken: as long as they move, and not longer than flushLimit.
const (
	flushPatience = 100 * time.Millisecond
	flushLimit    = time.Second
)

// journal is everything that a running server says, in one style: what Laravel's users know, and the stream of --debug, on stdout; the
// records of the log on stderr. No call waits for either. All methods may be called from any goroutine.
type journal struct {
	log *slog.Logger

	// Constant after newJournal.
	level    slog.Level
	handler  func(looks *console, w io.Writer, level slog.Level) slog.Handler
	json     *slog.Logger   // of stdout; nil: the format is that of the console
	console  *console       // of stdout
	failures *console       // of stderr
	stdout   *logging.Queue // below console
	queues   []*logging.Queue
	forget   func()
}

// newJournal puts queues before the outputs of a process. out is its console, dressed.
func newJournal(c *cli.Context, p process, out *console, conf config.Log) *journal {
	// A reader that has gone must not end the process, nor decide its exit code.
	gone := make(chan os.Signal, 1)
	p.notify(gone, syscall.SIGPIPE)
	j := &journal{level: conf.Slog(), forget: func() { p.forget(gone) }}
	if c.Bool("debug") {
		j.level = slog.LevelDebug
	}
	stdout, stderr := out.twin(), newConsole(p.stderr, p.environ)
	if c.Bool("ansi") || c.Bool("no-ansi") {
		stderr.styles = newStyles(!c.Bool("no-ansi"))
	}
	j.console, j.failures = stdout, stderr
	j.handler = consoleRecords
	if conf.Format == config.LogJSON {
		j.handler = jsonRecords
	}
	shared := sameOutput(stdout.out, stderr.out)
	below := j.begin(stderr)
	j.stdout = below
	if !shared {
		j.stdout = j.begin(stdout)
	}
	stdout.out, stderr.out = j.stdout, below
	j.log = slog.New(j.handler(stderr, below, j.level))
	if conf.Format == config.LogJSON {
		j.json = slog.New(j.handler(stdout, j.stdout, j.level))
	}
	return j
}

// begin puts a queue before the output of a console.
func (j *journal) begin(c *console) *logging.Queue {
	looks := c.twin()
	q := logging.NewQueue(c.out, func(lost uint64) []byte {
		var line bytes.Buffer
		slog.New(j.handler(looks, &line, slog.LevelDebug)).Warn("lines of this log were dropped, because nothing took them", "lines", lost)
		return line.Bytes()
	})
	j.queues = append(j.queues, q)
	return q
}

// consoleRecords makes the handler of log records that looks like a console and writes to w.
func consoleRecords(looks *console, w io.Writer, level slog.Level) slog.Handler {
	own := looks.twin()
	own.out = w
	return &consoleHandler{console: own, level: level}
}

func jsonRecords(_ *console, w io.Writer, level slog.Level) slog.Handler {
	return logging.NewJSON(w, level)
}

// sameOutput reports whether two outputs lead to one file, terminal or pipe. They need one queue then: lines of two would mix.
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

// close writes what waits, within bounds. Lines that come later are lost.
func (j *journal) close() {
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

// dropped is how many lines were lost because nothing took them.
func (j *journal) dropped() (n uint64) {
	for _, q := range j.queues {
		n += q.Dropped()
	}
	return n
}

// info tells what Laravel would tell in a block.
func (j *journal) info(text string) {
	switch {
	case j.level > slog.LevelInfo:
	case j.json != nil:
		j.json.Info(text)
	default:
		j.console.info(text)
	}
}

// plain tells lines as they are.
func (j *journal) plain(lines string) {
	switch {
	case j.level > slog.LevelInfo:
	case j.json != nil:
		j.json.Info(strings.TrimSpace(lines))
	default:
		j.console.text(lines)
	}
}

// detail tells how something stands.
func (j *journal) detail(title, value string) {
	switch {
	case j.level > slog.LevelInfo:
	case j.json != nil:
		j.json.Info(title, "detail", value)
	default:
		j.console.detail(title, value)
	}
}

// progress tells how far something has come.
func (j *journal) progress(title, value string, done, total int) {
	switch {
	case j.level > slog.LevelInfo:
	case j.json != nil:
		j.json.Info(title, "detail", value, "done", done, "total", total)
	default:
		j.console.progress(title, value, done, total)
	}
}

// progressEnd follows the last progress.
func (j *journal) progressEnd() {
	if j.json == nil && j.level <= slog.LevelInfo {
		j.console.progressEnd()
	}
}

// told is for the error that a server ends with: it is written, as all lines are, and nobody needs to do so again.
func (j *journal) told(err error) error {
	var status statusError
	switch {
	case err == nil, errors.Is(err, errTold), errors.As(err, &status):
		return err
	case j.json != nil:
		j.log.Error(strings.TrimRight(err.Error(), "\n"))
	default:
		j.failures.fail(err.Error())
	}
	return errTold
}
