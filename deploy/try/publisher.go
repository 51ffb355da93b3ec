package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // the Pusher HTTP API signs bodies so
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// eventName is a name as Laravel gives it.
const eventName = `App\Events\Tick`

// published is one event: when its publish began and when it was answered.
type published struct {
	began, answered time.Time
	ok              bool
}

// publisher is the site's back end: one event after the other. Its records belong to run until that has returned.
type publisher struct {
	site   site
	every  time.Duration
	client *http.Client
	ended  atomic.Bool

	events []published // by number
}

func newPublisher(s site, rate int) *publisher {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // the script has just made the certificate
	return &publisher{site: s, every: time.Second / time.Duration(rate), client: &http.Client{Transport: transport, Timeout: 10 * time.Second}}
}

func (p *publisher) stop() { p.ended.Store(true) }

func (p *publisher) run(ctx context.Context) {
	defer p.client.CloseIdleConnections()
	tick := time.NewTicker(p.every)
	defer tick.Stop()
	for !p.ended.Load() {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			e := published{began: time.Now()}
			e.ok = p.publish(ctx, len(p.events)) == nil
			e.answered = time.Now()
			p.events = append(p.events, e)
		}
	}
}

// publish does not try again: that a publish fails is a finding.
func (p *publisher) publish(ctx context.Context, n int) error {
	data, err := json.Marshal(fmt.Sprintf(`{"n":%d}`, n))
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	name, err := json.Marshal(eventName)
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	body := fmt.Appendf(nil, `{"name":%s,"channels":[%q],"data":%s}`, name, newsChannel, data)
	path := "/apps/" + p.site.app + "/events"
	sum := md5.Sum(body) //nolint:gosec // see above
	query := fmt.Sprintf("auth_key=%s&auth_timestamp=%d&auth_version=1.0&body_md5=%s", p.site.key, time.Now().Unix(), hex.EncodeToString(sum[:]))
	mac := hmac.New(sha256.New, []byte(p.site.secret))
	mac.Write([]byte("POST\n" + path + "\n" + query))
	url := "https://" + p.site.address + path + "?" + query + "&auth_signature=" + hex.EncodeToString(mac.Sum(nil))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := p.client.Do(request)
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if _, err = io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<16)); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("publish: answered %s", answer.Status)
	}
	return nil
}
