package api

import "net/http"

// up is Reverb's health page: the process answers. It stays 200 while draining; balancers ask /ready.
func (a *api) up(w http.ResponseWriter, _ *http.Request) {
	writeJSONString(w, http.StatusOK, `{"health":"OK"}`)
}

// ready says whether new connections should come here: not from the first moment of draining.
func (a *api) ready(w http.ResponseWriter, _ *http.Request) {
	if !a.server.Ready() {
		writeJSONString(w, http.StatusServiceUnavailable, `{"ready":false}`)
		return
	}
	writeJSONString(w, http.StatusOK, `{"ready":true}`)
}
