package metrics

// STUB of the exported contract; the owner of this package replaces this file with the files of the house.

import "net/http"

type Metrics struct{}

// App is the set of one application's counters, looked up once and kept.
type App struct{}

func New(version string) *Metrics               { panic("stub") }
func (m *Metrics) Handler() http.Handler        { panic("stub") }
func (m *Metrics) App(id string) *App           { panic("stub") }
func (m *Metrics) Refused(app, reason string)   { panic("stub") } // connection refused: unknown_app, origin, quota, …
func (m *Metrics) Dropped(reason string, n int) { panic("stub") }

func (a *App) Connected()                 { panic("stub") }
func (a *App) Disconnected(reason string) { panic("stub") }
func (a *App) Received()                  { panic("stub") } // a client message handled
func (a *App) Invalid(code int)           { panic("stub") } // a client message answered with an error
func (a *App) Sent(n int)                 { panic("stub") } // deliveries
func (a *App) Published(source string)    { panic("stub") } // "api", "client"
func (a *App) BroadcastSeconds(s float64) { panic("stub") }
func (a *App) PingSeconds(s float64)      { panic("stub") }

// Gauges are functions read at scrape time.
type Gauges struct {
	Channels, Subscriptions, Sockets, OutboxBytes func() float64
	BytesIn, BytesOut, FramesIn                   func() float64
	PollerRefused, PollerClosed                   func() map[string]uint64
}

func (m *Metrics) SetGauges(g Gauges) { panic("stub") }
