package measure

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	pageTimeout = 2 * time.Second
	mostValue   = 1e15     // a metric beyond is a mistake, and would not fit
	mostSeconds = 9e9      // of a duration
	pageLimit   = 16 << 20 // bytes of a page that are read; some servers tell thousands of series
)

// page is a server's metrics in Prometheus text, as every Go, Rust or Node client library writes them for its process.
type page struct {
	url    string
	client *http.Client
}

func newPage(url string) *page {
	// A connection for each reading: one kept open would leave goroutines behind, and be one more for the server to hold.
	return &page{url: url, client: &http.Client{Timeout: pageTimeout, Transport: &http.Transport{DisableKeepAlives: true}}}
}

func (p *page) name() string { return p.url }

func (p *page) read(ctx context.Context, _ bool) (Usage, error) {
	if p.url == "" {
		return Usage{}, errors.New("neither a pid nor the address of metrics is given")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url, nil)
	if err != nil {
		return Usage{}, fmt.Errorf("ask for metrics: %w", err)
	}
	response, err := p.client.Do(request)
	if err != nil {
		return Usage{}, fmt.Errorf("ask for metrics: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return Usage{}, fmt.Errorf("ask for metrics: %s answered %s", p.url, response.Status)
	}
	u, err := parsePage(io.LimitReader(response.Body, pageLimit))
	if err != nil {
		return Usage{}, fmt.Errorf("read metrics of %s: %w", p.url, err)
	}
	return u, nil
}

// parsePage picks the process's own metrics. Their names may have a prefix: Node's library puts the product's name in front.
func parsePage(r io.Reader) (Usage, error) {
	var u Usage
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		name, value, ok := metric(lines.Text())
		if !ok {
			continue
		}
		switch {
		case strings.HasSuffix(name, "process_resident_memory_bytes"):
			u.RSS = int64(value)
		case strings.HasSuffix(name, "process_cpu_seconds_total"):
			u.CPU = seconds(value)
		case strings.HasSuffix(name, "process_cpu_user_seconds_total"):
			u.User = seconds(value)
		case strings.HasSuffix(name, "process_cpu_system_seconds_total"):
			u.System = seconds(value)
		case strings.HasSuffix(name, "process_open_fds"):
			u.FDs = int(value)
		case name == "go_goroutines":
			u.Goroutines = int(value)
		case name == "go_threads" || name == "process_threads":
			u.Threads = int(value)
		}
	}
	if err := lines.Err(); err != nil {
		return Usage{}, err
	}
	if u.RSS == 0 && u.CPU == 0 {
		return Usage{}, errors.New("neither process_resident_memory_bytes nor process_cpu_seconds_total is there")
	}
	return u, nil
}

// metric splits `name{labels} value timestamp`. Labels are dropped: a process has these metrics once.
func metric(line string) (name string, value float64, ok bool) {
	if line == "" || line[0] == '#' {
		return "", 0, false
	}
	end := strings.IndexAny(line, "{ \t")
	if end < 0 {
		return "", 0, false
	}
	name, rest := line[:end], line[end:]
	if rest[0] == '{' {
		rest = rest[strings.LastIndexByte(rest, '}')+1:]
	}
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return "", 0, false
	}
	value, err := strconv.ParseFloat(fields[0], 64)
	return name, value, err == nil && value >= 0 && value <= mostValue
}

func seconds(s float64) time.Duration {
	return time.Duration(min(s, mostSeconds) * float64(time.Second))
}
