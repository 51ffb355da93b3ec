package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"reverb/bench/client"
)

// introTimeout bounds each of the two questions to a server before its runs.
const introTimeout = 5 * time.Second

// errCredentials is in the error of a server that refused the key, the app or the secret: no run against it makes sense.
var errCredentials = errors.New("give --key, --secret and --app-id, or run it in the folder of the site's .env")

// introduce opens one connection and signs one request, so that a wrong key or secret is one sentence and not a failure of every
// connection. Other failures are left to the run, which knows more about them.
func introduce(ctx context.Context, s Server) error {
	if err := tryKey(ctx, s); err != nil {
		return err
	}
	post := client.NewPublisher(s.target(), 1, false)
	post.Timeout = introTimeout
	defer post.Close()
	switch status, _, err := post.Get("/channels", ""); {
	case err != nil:
	case status == http.StatusUnauthorized:
		return fmt.Errorf("%s refused the signature: it has another secret for app %s (or a clock that is minutes off): %w", s.Addr, s.AppID, errCredentials)
	case status == http.StatusNotFound:
		return fmt.Errorf("%s knows no app %s, or has its routes below a --path: %w", s.Addr, s.AppID, errCredentials)
	}
	return nil
}

// tryKey opens a connection and closes it.
func tryKey(ctx context.Context, s Server) error {
	fleet, err := client.NewFleet(client.Options{Target: s.target(), ConnectTimeout: introTimeout})
	if err != nil {
		return err
	}
	defer fleet.Close()
	v := &visitor{outcome: make(chan error, 1)}
	fleet.Dial(v)
	select {
	case err = <-v.outcome:
	case <-ctx.Done():
		return ctx.Err()
	}
	const unknownApp = 4001
	if refused, ok := errors.AsType[*client.RefusedError](err); ok && refused.Code == unknownApp {
		return fmt.Errorf("%s knows no app with the key %s: %w", s.Addr, s.Key, errCredentials)
	}
	return nil
}

// visitor is the handler of one connection that does nothing.
type visitor struct {
	outcome chan error // of capacity 1: nil when it was connected, or why it was not
}

func (v *visitor) tell(err error) {
	select {
	case v.outcome <- err:
	default: // told already
	}
}

// Connected is the end of the visit.
func (v *visitor) Connected(*client.Client, int64) { v.tell(nil) }

// Subscribed does not happen.
func (v *visitor) Subscribed(*client.Client, []byte, int64) {}

// Event has nothing to look for.
func (v *visitor) Event(*client.Client, client.Event, int64) {}

// Closed tells why the connection was not made.
func (v *visitor) Closed(_ *client.Client, err error) { v.tell(err) }
