package dashboard

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"reverb/management"
)

// maxAppRows is how many applications the first page tells of, the busiest first.
const maxAppRows = 50

// clusterInfo tells how the connection to the other nodes is.
type clusterInfo struct {
	Scaled  bool      `json:"scaled"`
	Up      bool      `json:"up"`
	Nodes   int       `json:"nodes"`
	Since   int64     `json:"since,omitempty"` // Unix milliseconds
	Err     string    `json:"error,omitempty"`
	Waiting int64     `json:"waiting"` // bytes of messages
	List    []nodeRow `json:"list"`    // this node first
}

// nodeRow is one node of the cluster. Fields that it does not tell are missing.
type nodeRow struct {
	ID          string `json:"id"`
	Name        string `json:"name,omitempty"`
	Version     string `json:"version,omitempty"`
	Started     int64  `json:"started,omitempty"` // Unix milliseconds
	Heard       int64  `json:"heard,omitempty"`   // Unix milliseconds of its last sign of life
	Connections int    `json:"connections"`
	Self        bool   `json:"self,omitempty"`
}

// maxNodeRows is how many nodes the first page lists.
const maxNodeRows = 100

type statsAnswer struct {
	Now        int64           `json:"now"` // Unix milliseconds
	Node       nodeInfo        `json:"node"`
	Ready      bool            `json:"ready"`
	Cluster    clusterInfo     `json:"cluster"`
	Columns    [columns]string `json:"columns"`
	Points     []rowOfPoint    `json:"points"`
	Apps       []appRates      `json:"apps"`
	AllApps    int             `json:"all_apps"`
	Refused    []refusalRow    `json:"refused"`
	AllRefused int             `json:"all_refused"`
}

// rowOfPoint is the moment and then the columns.
type rowOfPoint [1 + columns]any

// stats answers with what has happened since the moment that the page knows of.
func (d *Dashboard) stats(w http.ResponseWriter, r *http.Request) {
	after, _ := strconv.ParseInt(r.FormValue("since"), 10, 64) // everything when it cannot be read
	points, now := d.history.since(after)
	apps := slices.DeleteFunc(slices.Clone(now.apps), func(a appRates) bool { return a.Connections == 0 && d.server.App(a.ID) == nil })
	a := statsAnswer{
		Now: time.Now().UnixMilli(), Node: d.node, Ready: d.server.Ready(), Cluster: d.cluster(), Columns: columnNames,
		Points: make([]rowOfPoint, len(points)), Apps: first(apps, maxAppRows), AllApps: len(apps),
		Refused: first(now.refused, maxRefusals), AllRefused: len(now.refused),
	}
	for i := range points {
		a.Points[i][0] = points[i].at
		for column, v := range points[i].values {
			a.Points[i][1+column] = v
		}
	}
	management.Answer(w, a)
}

// first is the beginning of a list, never nil: the page wants a list.
func first[T any](list []T, most int) []T {
	return append([]T{}, list[:min(len(list), most)]...)
}

func (d *Dashboard) cluster() clusterInfo {
	status, scaled := d.inspect.RelayStatus()
	c := clusterInfo{Scaled: scaled, Up: status.Up, Nodes: max(status.Nodes, 1), Err: status.Err, Waiting: status.WaitingBytes}
	if !status.Since.IsZero() {
		c.Since = status.Since.UnixMilli()
	}
	c.List = d.nodes()
	return c
}

// nodes lists this node and the others.
func (d *Dashboard) nodes() []nodeRow {
	self := nodeRow{Name: d.node.Name, Version: d.node.Version, Started: d.node.Started, Self: true}
	for _, n := range d.server.Node().Connections() {
		self.Connections += n
	}
	rows := []nodeRow{self}
	others := d.inspect.OtherNodes()
	for i := range others[:min(len(others), maxNodeRows)] {
		n := &others[i]
		row := nodeRow{ID: n.ID, Name: n.Name, Version: n.Version, Heard: n.Heard.UnixMilli(), Connections: n.Connections}
		if !n.Started.IsZero() {
			row.Started = n.Started.UnixMilli()
		}
		rows = append(rows, row)
	}
	return rows
}

// apps lists the applications that can be chosen.
func (d *Dashboard) apps(w http.ResponseWriter, _ *http.Request) {
	type app struct {
		ID      string `json:"id"`
		Enabled bool   `json:"enabled"`
	}
	list := []app{}
	for _, conf := range d.inspect.Apps() {
		list = append(list, app{conf.ID, conf.Enabled})
	}
	management.Answer(w, map[string]any{"apps": list})
}
