package api

import (
	"net/http"
	"strconv"
)

// connections counts the connections with at least one subscription, on all nodes; Laravel Pulse draws it.
func (a *API) connections(w http.ResponseWriter, r *http.Request, c *call) {
	n, reach := a.server.ConnectionCount(r.Context(), c.app)
	tellReach(w, reach)
	writeJSONString(w, http.StatusOK, `{"connections":`+strconv.Itoa(n)+`}`)
}
