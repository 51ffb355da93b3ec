package doctor

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"reverb/config"
	"reverb/protocol"
)

// slowTrip is from when on an event takes longer than people call at once.
const slowTrip = time.Second

// trips is the part that subscribes as a browser, publishes as Laravel, and waits for the event.
type trips struct{ *examination }

// check connects as a browser does, subscribes to a private channel as Echo does after Laravel has signed it, publishes
// as Laravel does, and waits for the event. When the public address is out of order it shows whether at least the
// server works.
func (e trips) check() {
	const check, title = "trip.event", "Round trip"
	app := e.app()
	switch {
	case app == nil:
		e.skip(check, title, "there is no application to connect to")
	case e.publicWorks && e.publicTrust:
		e.trip(title, e.public, app)
	case e.up && e.publicWorks:
		e.skip(check, title, "nothing is published to %s, whose certificate is not trusted", e.public.base())
		e.trip(title+", past the proxy", e.local, app)
	case e.up:
		e.skip(check, title, "%s", e.publicFault)
		e.trip(title+", past the proxy", e.local, app)
	case e.publicWorks:
		e.skip(check, title, "nothing is published to %s, whose certificate is not trusted", e.public.base())
	default:
		e.skip(check, title, "the server is not running, and %s", e.publicFault)
	}
}

// times of one round trip.
type times struct{ connect, subscribe, publish, deliver time.Duration }

// tripFault is what went wrong, and where.
type tripFault struct {
	what, why string
	fix       []string
}

func (e trips) trip(title string, t target, app *config.App) {
	took, fault := e.roundTrip(t, app)
	const check = "trip.event"
	f := Finding{Check: check, Title: title, Status: OK, Measures: map[string]float64{
		"connect_ms": milliseconds(took.connect), "subscribe_ms": milliseconds(took.subscribe), "publish_ms": milliseconds(took.publish), "deliver_ms": milliseconds(took.deliver),
	}}
	f.What = fmt.Sprintf("%s: connected in %s, subscribed in %s, published in %s, received after %s", t.base(), shown(took.connect), shown(took.subscribe), shown(took.publish), shown(took.deliver))
	switch {
	case fault != nil:
		f.Status, f.What, f.Why, f.Fix, f.Measures = Failure, t.base()+": "+fault.what, fault.why, fault.fix, nil
	case took.deliver > slowTrip:
		f.Status, f.Why = Warning, "events should arrive within some milliseconds"
		f.Fix = []string{"compare the round trip past the proxy: reverb doctor --url http://" + e.local.address(), "look at the load of server, Redis and proxy"}
	}
	e.add(f)
}

func shown(d time.Duration) string {
	const finest = 100 * time.Microsecond
	if d < finest {
		return "under 0.1 ms"
	}
	return fmt.Sprintf("%.1f ms", milliseconds(d))
}

func (e trips) roundTrip(t target, app *config.App) (took times, fault *tripFault) {
	ctx, cancel := context.WithTimeout(e.ctx, 3*stepTimeout)
	defer cancel()
	now, mark := e.probes.Now, e.probes.Now()
	lap := func() time.Duration { before := mark; mark = now(); return mark.Sub(before) }
	s, a, err := e.upgrade(ctx, t, app.Key, nil)
	if err == nil && s == nil {
		err = fmt.Errorf("it answers %d, not 101", a.status)
	}
	if err == nil {
		defer s.leave()
		err = s.greet(ctx)
	}
	if err != nil {
		return took, &tripFault{what: "cannot connect: " + reason(err), why: "browsers cannot either", fix: []string{"see the findings above"}}
	}
	took.connect = lap()
	token := rand.Text()
	channel := "private-reverb-doctor-" + token
	if err := s.subscribe(ctx, app, channel); err != nil {
		return took, &tripFault{what: "cannot subscribe to a private channel: " + reason(err), why: "the server and this configuration do not have the same secret, or it was not restarted since",
			fix: []string{"the same REVERB_APP_SECRET for Laravel and the server", "reverb restart; php artisan config:clear"}}
	}
	took.subscribe = lap()
	if fault := e.publish(ctx, t, app, channel, token); fault != nil {
		return took, fault
	}
	took.publish = now().Sub(mark)
	if err := s.await(ctx, channel, token); err != nil {
		return took, &tripFault{what: "the event was accepted, but did not arrive: " + reason(err), why: "two servers that do not know of each other, one with the subscriber and one that was published to",
			fix: []string{".env: REVERB_SCALING_ENABLED=true on all nodes, with the same Redis", "or one node only behind the proxy"}}
	}
	took.deliver = lap()
	return took, nil
}

// subscribe joins a private channel and waits for the answer.
func (s *socket) subscribe(ctx context.Context, app *config.App, channel string) error {
	id, ok := protocol.ParseSocketID(s.id)
	if !ok {
		return errors.New("the server gave a socket_id that is none")
	}
	text, err := json.Marshal(map[string]any{"event": "pusher:subscribe", "data": map[string]string{
		"auth": app.Key + ":" + protocol.ChannelSignature(app.Secret, id, channel, ""), "channel": channel,
	}})
	if err != nil {
		return err
	}
	if err := s.send(string(text)); err != nil {
		return err
	}
	for {
		ev, err := s.read(ctx)
		if err != nil {
			return err
		}
		if ev.Event == "pusher_internal:subscription_succeeded" && ev.Channel == channel {
			return nil
		}
	}
}

// await waits for the event with the token.
func (s *socket) await(ctx context.Context, channel, token string) error {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	for {
		ev, err := s.read(ctx)
		if err != nil {
			return err
		}
		var d struct{ Token string }
		if ev.Channel == channel && ev.data(&d) == nil && d.Token == token {
			return nil
		}
	}
}

// publish sends the event through the HTTP API, signed as Laravel signs it.
func (e trips) publish(ctx context.Context, t target, app *config.App, channel, token string) *tripFault {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	data, err := json.Marshal(map[string]string{"token": token})
	if err != nil {
		return &tripFault{what: err.Error()}
	}
	body, err := json.Marshal(map[string]string{"name": "reverb-doctor", "channel": channel, "data": string(data)})
	if err != nil {
		return &tripFault{what: err.Error()}
	}
	path := t.prefix + "/apps/" + app.ID + "/events"
	query := "auth_key=" + app.Key + "&auth_timestamp=" + strconv.FormatInt(e.probes.Now().Unix(), 10) + "&auth_version=1.0"
	query += "&auth_signature=" + url.QueryEscape(protocol.SignRequest(app.Secret, http.MethodPost, path, query, body))
	l, err := e.open(ctx, t, nil)
	var a answer
	if err == nil {
		defer func() { _ = l.Close() }()
		a, err = l.exchange(e.probes.Now, http.MethodPost, t.authority(), path+"?"+query, []string{"Connection: close", "Accept: application/json"}, string(body))
	}
	if err != nil {
		return &tripFault{what: "cannot publish: " + reason(err), why: "Laravel cannot either", fix: []string{fmt.Sprintf("the proxy must pass %s/apps to the server too", t.prefix)}}
	}
	if a.status == http.StatusOK && !a.isPage() {
		return nil
	}
	return refusedPublish(t, app, a)
}

// refusedPublish says why the API did not take the event.
func refusedPublish(t target, app *config.App, a answer) *tripFault {
	f := &tripFault{what: fmt.Sprintf("publishing is answered with %d", a.status), why: "Laravel gets the same answer, and throws a BroadcastException"}
	if text := a.title(); text != "" {
		f.what += fmt.Sprintf(" and the page %q", text)
	} else if !a.isPage() && a.body != "" {
		f.what += ": " + short(a.body)
	}
	switch {
	case a.status == http.StatusUnauthorized && !a.isPage():
		f.fix = []string{"the same REVERB_APP_SECRET for Laravel and the server; then reverb restart", "the clocks of both must agree", "a proxy must not change path or query"}
	case a.status == http.StatusNotFound && containsFold(a.body, "No matching application"):
		f.fix = []string{fmt.Sprintf("the server must have the application %s: REVERB_APP_ID; then reverb restart", app.ID)}
	case a.status >= 300 && a.status < 400:
		f.what += " to " + short(a.header.Get("Location"))
		f.fix = []string{".env: REVERB_SCHEME and REVERB_PORT of the place where it leads"}
	case a.status == http.StatusRequestEntityTooLarge:
		f.fix = []string{"Nginx: client_max_body_size 1m;"}
	default:
		f.fix = []string{fmt.Sprintf("the proxy must pass %s/apps to the server, not only %s/app", t.prefix, t.prefix)}
	}
	return f
}
