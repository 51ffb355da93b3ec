package api

import "net/http"

// up is Reverb's health page: the process answers. It stays 200 while draining; balancers ask /ready.
func (a *API) up(w http.ResponseWriter, _ *http.Request) {
	writeJSONString(w, http.StatusOK, `{"health":"OK"}`)
}

// ready says whether new connections should come here: not from the first moment of draining. A node that does not reach the others
// says so, and is ready: its balancer would find all nodes so.
func (a *API) ready(w http.ResponseWriter, _ *http.Request) {
	if !a.server.Ready() {
		writeJSONString(w, http.StatusServiceUnavailable, `{"ready":false}`)
		return
	}
	if a.server.Degraded() {
		w.Header().Set("Reverb-Degraded", a.degradation())
		writeJSONString(w, http.StatusOK, `{"ready":true,"degraded":true}`)
		return
	}
	writeJSONString(w, http.StatusOK, `{"ready":true}`)
}

// degradation is why the node does not reach the others, in words that tell strangers nothing of where Redis is.
func (a *API) degradation() string {
	if code := a.server.Refused(); code != "" {
		return "redis refuses: " + code
	}
	return "redis is not reached"
}
