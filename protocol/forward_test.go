package protocol_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"reverb/protocol"
)

func TestForwardedMessage(t *testing.T) {
	tests := []struct{ name, payload, userID, want string }{
		{"as it is", `{"event":"client-a","channel":"room","data":{"b": 1.0}}`, "", `{"event":"client-a","channel":"room","data":{"b": 1.0}}`},
		{"other channel", `{"channel":"x","event":"client-a"}`, "", `{"channel":"room","event":"client-a"}`},
		{"no channel", `{"event":"client-a","channels":["room"]}`, "", `{"event":"client-a","channel":"room"}`},
		{"extra fields", `{"a" : [1 ,2],"event":"client-a","channel":"x","b":"\u00e9"}`, "", `{"a":[1 ,2],"event":"client-a","channel":"room","b":"\u00e9"}`},
		{"spoofed id goes", `{"user_id":1,"event":"client-a","channel":"x","user_id":2}`, "", `{"event":"client-a","channel":"room"}`},
		{"spoofed id in disguise", `{"\u0075ser_id":1,"event":"client-a","channel":"x"}`, `"7"`, `{"event":"client-a","channel":"room","user_id":"7"}`},
		{"in other case", `{"USER_ID":1,"Event":"x","event":"client-a","Channel":"x","CHANNELS":["x"],"Data":1,"dAtA":2,"data":3}`, "7",
			`{"event":"client-a","data":3,"channel":"room","user_id":7}`},
		{"in letters that fold", `{"u\u017fer_id":1,"uſer_ıd":2,"user_İd":3,"channel\u017f":["x"],"event":"client-a"}`, "",
			`{"event":"client-a","channel":"room"}`},
		{"near misses stay", `{"user-id":1,"userid":2,"events":3,"event":"client-a","user_id ":4,"Åuser_id":5}`, "",
			`{"user-id":1,"userid":2,"events":3,"event":"client-a","user_id ":4,"Åuser_id":5,"channel":"room"}`},
		{"text as JSON", `{"event":"client-a","channel":"x","data":"[1]"}`, "7", `{"event":"client-a","channel":"room","data":[1],"user_id":7}`},
		{"duplicates", `{"event":"x","data":1,"channel":1,"event":"client-a","data":2,"channel":"x"}`, "", `{"event":"client-a","data":2,"channel":"room"}`},
		{"not a message", `{"event":""}`, "7", ``},
		{"not JSON", `{"event":"client-a",}`, "7", ``},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var id []byte
			if tt.userID != "" {
				id = []byte(tt.userID)
			}
			var m protocol.Message
			_ = protocol.Decode([]byte(tt.payload), &m)
			if got := protocol.ForwardedMessage([]byte(tt.payload), "room", m.Data, id).JSON(); string(got) != tt.want {
				t.Errorf("ForwardedMessage(%s)\ngot  %s\nwant %s", tt.payload, got, tt.want)
			}
		})
	}
}

// A reader whose names match in any case, as that of Go does, sees what the server set and nothing else.
func TestForwardedToACarelessReader(t *testing.T) {
	for _, spoofed := range []string{
		`"USER_ID":9`, `"User_Id":9`, `"uſer_id":9`, `"EVENT":"x"`, `"Channel":"x"`, `"DATA":9`, `"channelS":["x"]`, `"\u0055SER_ID":9`,
	} {
		for _, payload := range []string{
			`{` + spoofed + `,"event":"client-a","channel":"room","data":1}`, `{"event":"client-a","channel":"room","data":1,` + spoofed + `}`,
		} {
			var m protocol.Message
			if err := protocol.Decode([]byte(payload), &m); err != nil {
				t.Fatal(err)
			}
			var read struct {
				Event, Channel string
				Channels       []string
				Data           int
				UserID         int `json:"user_id"`
			}
			got := protocol.ForwardedMessage([]byte(payload), "room", m.Data, []byte("7")).JSON()
			if err := json.Unmarshal(got, &read); err != nil {
				t.Fatalf("%s: %v", got, err)
			}
			if read.Event != "client-a" || read.Channel != "room" || read.Channels != nil || read.Data != 1 || read.UserID != 7 {
				t.Errorf("%s is read as %+v", got, read)
			}
		}
	}
}

// userIDs returns the values of the top-level user_id members of an object.
func userIDs(t *testing.T, object []byte) (ids []string) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
		if name == "user_id" {
			ids = append(ids, string(value))
		}
	}
	return ids
}

func checkEvent(t *testing.T, text []byte, event, channel, userID string) {
	t.Helper()
	var fields map[string]json.RawMessage // not a struct: its names would match in any case
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	var gotEvent, gotChannel string
	_ = json.Unmarshal(fields["event"], &gotEvent)
	_ = json.Unmarshal(fields["channel"], &gotChannel)
	if gotEvent != event || gotChannel != channel {
		t.Errorf("%s: event %q on %q, want %q on %q", text, gotEvent, gotChannel, event, channel)
	}
	ids := userIDs(t, text)
	if (userID == "" && len(ids) != 0) || (userID != "" && (len(ids) != 1 || ids[0] != userID)) {
		t.Errorf("%s: user_id %q, want %q", text, ids, userID)
	}
}

func FuzzForwarded(f *testing.F) {
	for _, example := range examples {
		f.Add([]byte(example), true)
		f.Add([]byte(example), false)
	}
	f.Fuzz(func(t *testing.T, p []byte, known bool) {
		id, text := []byte(nil), ""
		if known {
			id, text = []byte(`"u1"`), `"u1"`
		}
		var m protocol.Message
		refused := protocol.Decode(p, &m) != nil
		got := protocol.ForwardedMessage(p, "room", m.Data, id).JSON()
		if refused {
			if got != nil {
				t.Fatalf("ForwardedMessage(%q) = %q", p, got)
			}
			return
		}
		checkEvent(t, got, string(m.Event), "room", text)
		if err := protocol.Decode(got, &m); err != nil {
			t.Errorf("Decode of forwarded %q: %v", got, err)
		}
	})
}

func FuzzClientEvent(f *testing.F) {
	for _, example := range examples {
		f.Add([]byte(example), true)
	}
	f.Fuzz(func(t *testing.T, p []byte, known bool) {
		var m protocol.Message
		if protocol.Decode(p, &m) != nil {
			return
		}
		_, _ = m.Unsubscribe()
		_ = m.CheckEmptyData()
		if s, err := m.Subscribe(); err == nil {
			if d, err := protocol.ParseMemberData(s.ChannelData); err == nil && !json.Valid(d.Raw) {
				t.Errorf("channel_data %q is not JSON", d.Raw)
			}
		}
		e, err := m.ClientEvent()
		sent, errSent := m.ClientEventAsSent()
		switch {
		case err == nil && errSent != nil:
			t.Errorf("%q is an event, and is none as it was sent: %v", p, errSent)
		case errSent == nil && !bytes.Contains(p, sent.Data) && string(sent.Data) != "null":
			t.Errorf("data %q is not in %q", sent.Data, p)
		}
		if err != nil {
			return
		}
		id, text := []byte(nil), ""
		if known {
			id, text = []byte(`7`), `7`
		}
		checkEvent(t, protocol.ClientEventMessage(&e, e.Channel, id).JSON(), string(e.Event), e.Channel, text)
	})
}
