package dashboard

import (
	"net/http"
	"strconv"
	"time"
)

// maxAppRows is how many applications the first page tells of, the busiest first.
const maxAppRows = 50

// clusterInfo tells how the connection to the other nodes is.
type clusterInfo struct {
	Scaled  bool   `json:"scaled"`
	Up      bool   `json:"up"`
	Nodes   int    `json:"nodes"`
	Since   int64  `json:"since,omitempty"` // Unix milliseconds
	Err     string `json:"error,omitempty"`
	Waiting int64  `json:"waiting"` // bytes of messages
}

type statsAnswer struct {
	Now     int64           `json:"now"` // Unix milliseconds
	Node    nodeInfo        `json:"node"`
	Ready   bool            `json:"ready"`
	Cluster clusterInfo     `json:"cluster"`
	Columns [columns]string `json:"columns"`
	Points  []rowOfPoint    `json:"points"`
	Apps    []appRates      `json:"apps"`
	AllApps int             `json:"all_apps"`
}

// rowOfPoint is the moment and then the columns.
type rowOfPoint [1 + columns]any

// stats answers with what has happened since the moment that the page knows of.
func (d *Dashboard) stats(w http.ResponseWriter, r *http.Request) {
	after, _ := strconv.ParseInt(r.FormValue("since"), 10, 64) // everything when it cannot be read
	points, apps := d.history.since(after)
	a := statsAnswer{
		Now: time.Now().UnixMilli(), Node: d.node, Ready: d.server.Ready(), Cluster: d.cluster(), Columns: columnNames,
		Points: make([]rowOfPoint, len(points)), Apps: apps[:min(len(apps), maxAppRows)], AllApps: len(apps),
	}
	for i := range points {
		a.Points[i][0] = points[i].at
		for column, v := range points[i].values {
			a.Points[i][1+column] = v
		}
	}
	answer(w, a)
}

func (d *Dashboard) cluster() clusterInfo {
	status, scaled := d.server.RelayStatus()
	c := clusterInfo{Scaled: scaled, Up: status.Up, Nodes: max(status.Nodes, 1), Err: status.Err, Waiting: status.WaitingBytes}
	if !status.Since.IsZero() {
		c.Since = status.Since.UnixMilli()
	}
	return c
}

// apps lists the applications that can be chosen.
func (d *Dashboard) apps(w http.ResponseWriter, _ *http.Request) {
	type app struct {
		ID      string `json:"id"`
		Enabled bool   `json:"enabled"`
	}
	list := []app{}
	for _, conf := range d.server.Apps() {
		list = append(list, app{conf.ID, conf.Enabled})
	}
	answer(w, map[string]any{"apps": list})
}
