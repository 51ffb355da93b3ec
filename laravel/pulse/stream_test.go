package pulse_test

import (
	"fmt"
	"log/slog"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"reverb/config"
	"reverb/internal/redistest"
	"reverb/internal/testtool"
	"reverb/laravel/pulse"
	"reverb/metrics"
)

func TestEntry(t *testing.T) {
	const want = "O:19:\"Laravel\\Pulse\\Entry\":6:{s:15:\"\x00*\x00aggregations\";a:1:{i:0;s:5:\"count\";}" +
		"s:14:\"\x00*\x00onlyBuckets\";b:1;s:9:\"timestamp\";i:1763695000;s:4:\"type\";s:19:\"reverb_message:sent\";s:3:\"key\";s:6:\"123456\";s:5:\"value\";N;}"
	if got := pulse.Entry(pulse.Count{At: 1763695000, Kind: sent, App: "123456", N: 1}); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// digest is what `php artisan pulse:work` does with an entry, reduced to the counting.
const digest = `namespace Laravel\Pulse; class Entry { public function __construct(public int $timestamp, public string $type, public string $key, ` +
	`public ?int $value = null, protected array $aggregations = [], protected bool $onlyBuckets = false) {} ` +
	`public function tell() { return count(array_keys($this->aggregations, 'count', true)).' '.var_export($this->onlyBuckets, true)." $this->timestamp $this->type $this->key ".gettype($this->value); } } ` +
	`echo unserialize(stream_get_contents(STDIN), ['allowed_classes' => [Entry::class]])->tell();`

func TestEntryInPHP(t *testing.T) {
	cmd := exec.Command(testtool.Find(t, "php"), "-r", digest)
	cmd.Stdin = strings.NewReader(pulse.Entry(pulse.Count{At: 1763695000, Kind: received, App: "é", N: 500}))
	out, err := cmd.CombinedOutput()
	if want := "500 true 1763695000 reverb_message:received é NULL"; err != nil || string(out) != want {
		t.Errorf("%v: got %q, want %q", err, out, want)
	}
}

func streamConfig(t *testing.T, s *redistest.Server) *config.Config {
	t.Helper()
	port, err := strconv.Atoi(s.Port())
	if err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.Pulse.Enabled, c.Pulse.Driver = true, config.PulseRedis
	c.Pulse.Redis = c.Scaling.Redis
	c.Pulse.Redis.Port, c.Pulse.Redis.Password, c.Pulse.Redis.Database = port, "secret", "3"
	return c
}

// counted is how many messages the stream stands for.
func counted(t *testing.T, s *redistest.Server, c *config.Config) (entries, messages int) {
	t.Helper()
	if reply, failed := s.Do("SWAPDB", "0", "3").(error); failed { // redistest speaks to database 0
		t.Fatal(reply)
	}
	defer s.Do("SWAPDB", "0", "3")
	all, ok := s.Do("XRANGE", c.Laravel.RedisPrefix+"laravel:pulse:ingest", "-", "+").([]any)
	if !ok {
		t.Fatal("no stream")
	}
	for _, entry := range all {
		fields := entry.([]any)[1].([]any)
		if len(fields) != 2 || fields[0] != "data" {
			t.Fatalf("fields %v", fields)
		}
		messages += strings.Count(fields[1].(string), `s:5:"count";`)
	}
	return len(all), messages
}

func TestStream(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, "--requirepass", "secret")
	c := streamConfig(t, s)
	left, unsure, err := pulse.Write(t.Context(), c, now, pulse.Count{minute, sent, "1", 100_001}, pulse.Count{minute, received, "1", 1})
	if err != nil || len(left) != 0 || unsure != 0 {
		t.Fatalf("left %v, unsure %d: %v", left, unsure, err)
	}
	if entries, messages := counted(t, s, c); messages != 100_002 || entries != 202 {
		t.Errorf("%d entries for %d messages", entries, messages)
	}
}

// Entries that Redis refuses wait.
func TestStreamRefused(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, "--requirepass", "secret")
	c := streamConfig(t, s)
	c.Pulse.Redis.Database = "0"
	s.Do("SET", c.Laravel.RedisPrefix+"laravel:pulse:ingest", "no stream")
	left, unsure, err := pulse.Write(t.Context(), c, now, pulse.Count{minute, sent, "1", 40_000})
	var n uint64
	for _, l := range left {
		n += l.N
	}
	if err == nil || n != 40_000 || unsure != 0 {
		t.Errorf("%d left, unsure %d: %v", n, unsure, err)
	}
}

func TestStreamOutage(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, "--requirepass", "secret")
	c := streamConfig(t, s)
	var log strings.Builder
	var n uint64
	r, err := pulse.New(pulse.Options{
		Config:  c,
		Counts:  func() []metrics.Counts { n += 10; return []metrics.Counts{{App: "1", Sent: n}} },
		Metrics: metrics.New("test").Pulse(),
		Log:     slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.CloseForTest()
	r.Flush()
	s.Stop()
	r.Flush()
	r.Flush()
	if waiting, _ := r.Waiting(); waiting != 20 {
		t.Errorf("%d messages wait, want 20", waiting)
	}
	s.Restart() // without what it had
	r.Flush()
	if _, messages := counted(t, s, c); messages != 30 {
		t.Errorf("the stream has %d messages, want 30", messages)
	}
	if text := log.String(); strings.Count(text, "\n") != 2 || !strings.Contains(text, "level=WARN") || !strings.Contains(text, "written again") {
		t.Errorf("the log says\n%s", text)
	}
	s.Restart() // a connection that broke in between is no outage
	r.Flush()
	if text := log.String(); strings.Count(text, "\n") != 2 {
		t.Errorf("the log says\n%s", text)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, change := range map[string]func(*config.Config){
		"driver":    func(c *config.Config) { c.Pulse.Database.Driver = "sqlsrv" },
		"authority": func(c *config.Config) { c.Pulse.Database = config.Database{Driver: "mysql", CA: "/nowhere.pem"} },
		"sslmode": func(c *config.Config) {
			c.Pulse.Database = config.Database{Driver: "pgsql", Host: "db", Port: 1, SSLMode: "perhaps"}
		},
		"redis": func(c *config.Config) {
			c.Pulse.Driver = config.PulseRedis
			c.Pulse.Redis = config.Redis{Database: "0", Encrypted: true, TLS: config.RedisTLS{CA: "/nowhere.pem"}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := config.Default()
			change(c)
			r, err := pulse.New(pulse.Options{Config: c})
			if err == nil {
				t.Errorf("got %v", fmt.Sprint(r))
			}
		})
	}
}
