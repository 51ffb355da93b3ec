package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"reverb/metrics"
)

// cause is why requests are refused: one of a closed list.
type cause struct {
	name      string
	text      string // that the answer begins with
	parameter string // of the query, that is wrong; "" = none
	hint      string
}

// causes are those that can be told by the text of the answer.
var causes = []cause{
	{name: "signature", text: "Authentication signature", hint: "is REVERB_APP_SECRET the same on both sides? `php artisan config:clear`, and restart the workers"},
	{name: "key", text: "Authentication key", parameter: "auth_key", hint: "is REVERB_APP_KEY the same on both sides? `php artisan config:clear`, and restart the workers"},
	{name: "version", text: "Authentication version", parameter: "auth_version", hint: "Pusher's libraries sign with version 1.0"},
	{name: "digest", text: "Authentication body_md5", hint: "the body is not the one that was signed: does something on the way change it?"},
	{name: "timestamp", text: "Authentication timestamp", parameter: "auth_timestamp", hint: "do the clocks of the two machines agree? server.auth_timestamp_tolerance is how far they may be apart"},
	{name: "app", text: "No matching application", hint: "is REVERB_APP_ID the same on both sides? `php artisan config:clear`, and restart the workers"},
	{name: "disabled", text: "The application is disabled", hint: "enabled = false stands in [[apps]]"},
	{name: "backlog", text: "Too many messages", hint: "subscribers do not read as fast as is published; the publisher may try again after a second"},
}

// causeOf finds the cause of a refusal. Not ok: nobody needs to do anything about it, or another line says it. A publish that is refused is lost,
// so that all causes count; of other requests those that say that two sides are configured differently.
func (a *API) causeOf(e *exchange, r request) (cause, bool) {
	publish := e.route == metrics.RouteEvents || e.route == metrics.RouteBatchEvents
	at := slices.IndexFunc(causes, func(c cause) bool { return strings.HasPrefix(string(e.text), c.text) })
	switch {
	case e.route == metrics.RouteOther:
		// Strangers ask for anything; a caller that asks for /apps/ means us.
		_, behind, ok := strings.Cut(r.path, "/apps/")
		return cause{name: "path", hint: a.pathHint()}, ok && behind != "" && r.method == http.MethodPost && e.status == http.StatusNotFound
	case e.route == metrics.RouteConnect, e.app == "":
		return cause{}, false
	case at >= 0:
		return causes[at], true
	case e.status == http.StatusInternalServerError:
		return cause{}, false // a line of its own has the error
	case e.status == http.StatusRequestEntityTooLarge:
		return cause{name: "size", hint: fmt.Sprintf("the body is larger than server.max_request_size (REVERB_MAX_REQUEST_SIZE), which is %d bytes", a.cfg.MaxRequestSize)}, publish
	case e.status == http.StatusRequestTimeout:
		return cause{name: "timeout", hint: "the body did not arrive within server.limits.body_timeout"}, publish
	case e.status == http.StatusMethodNotAllowed:
		return cause{name: "method", hint: "events are sent with POST"}, publish
	}
	return cause{name: "invalid", hint: "the reason is what the publisher was answered"}, publish
}

// pathHint says where the API is.
func (a *API) pathHint() string {
	const at, option = "the API is at ", "/apps/ (REVERB_SERVER_PATH): the options of the reverb connection in config/broadcasting.php need "
	if a.prefix == "" {
		return at + option + "no 'path'"
	}
	return at + a.prefix + option + "'path' => '" + a.prefix + "/', with both slashes"
}
