package bus

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"

	"github.com/redis/rueidis"
)

// discoverCluster asks the cluster for its masters: the server of the hint, when there is one, because it knows why we were sent to it; then
// those that we are linked to; then those of the options.
//
// CLUSTER SLOTS, not CLUSTER SHARDS: the latter is wrong after a failover in Redis 7.
func (b *Bus) discoverCluster(hint string) ([]master, error) {
	var failures []error
	asked := map[string]bool{}
	for _, addr := range b.knowing(hint) {
		if asked[addr] || addr == "" {
			continue
		}
		asked[addr] = true
		reply, err := b.on(addr, func(l *link) rueidis.RedisResult {
			return l.client.Do(b.ctx, l.client.B().ClusterSlots().Build())
		})
		if err == nil {
			var masters []master
			if masters, err = parseSlots(reply, addr); err == nil {
				return masters, nil
			}
		}
		failures = append(failures, fmt.Errorf("ask %s for the slots: %w", addr, err))
	}
	return nil, errors.Join(failures...)
}

// knowing are the servers to ask, best first.
func (b *Bus) knowing(hint string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := []string{hint}
	for addr, s := range b.shards {
		if s.ready {
			all = append(all, addr)
		}
	}
	all = append(all, b.options.Addrs...)
	for addr := range b.shards {
		all = append(all, addr)
	}
	return all
}

// on does something with a link to the server: the one that there is, or one for this purpose.
func (b *Bus) on(addr string, do func(*link) rueidis.RedisResult) (rueidis.RedisMessage, error) {
	b.mu.Lock()
	var l *link
	if s := b.shards[addr]; s != nil {
		l = s.link
	}
	b.mu.Unlock()
	if l == nil || l.reason() != nil {
		own, err := openLink(b.ctx, addr, b.dialer, rueidis.PubSubHooks{})
		if err != nil {
			return rueidis.RedisMessage{}, err
		}
		defer own.close()
		l = own
	}
	return do(l).ToMessage()
}

// parseSlots reads the reply of CLUSTER SLOTS: ranges, each with its nodes, the master first. A node without an address is the one that was
// asked.
func parseSlots(reply rueidis.RedisMessage, asked string) ([]master, error) {
	ranges, err := reply.ToArray()
	if err != nil {
		return nil, err
	}
	var masters []master
	for _, r := range ranges {
		parts, err := r.ToArray()
		if err != nil || len(parts) < 3 {
			return nil, errors.New("unknown form of CLUSTER SLOTS")
		}
		first, err1 := parts[0].AsInt64()
		last, err2 := parts[1].AsInt64()
		addr, err3 := parseNode(parts[2], asked)
		if err := errors.Join(err1, err2, err3); err != nil {
			return nil, err
		}
		if addr == "" || first < 0 || first > last || last >= slotCount {
			continue
		}
		i := slices.IndexFunc(masters, func(m master) bool { return m.addr == addr })
		if i < 0 {
			i = len(masters)
			masters = append(masters, master{addr: addr})
		}
		masters[i].slots = append(masters[i].slots, [2]uint16{uint16(first), uint16(last)})
	}
	if len(masters) == 0 {
		return nil, errors.New("the cluster has no slots yet")
	}
	return masters, nil
}

func parseNode(m rueidis.RedisMessage, asked string) (string, error) {
	parts, err := m.ToArray()
	if err != nil || len(parts) < 2 {
		return "", errors.New("unknown form of a node in CLUSTER SLOTS")
	}
	port, err := parts[1].AsInt64()
	if err != nil {
		return "", err
	}
	host, _ := parts[0].ToString() // nil: unknown to the node itself
	switch host {
	case "":
		if host, _, err = net.SplitHostPort(asked); err != nil {
			return "", err
		}
	case "?":
		return "", nil
	}
	return net.JoinHostPort(host, strconv.FormatInt(port, 10)), nil
}

// ask executes the command on the server to which a slot is just being moved. Redis has said that the keys are there already.
func (b *Bus) ask(addr string, build func(l *link) rueidis.Completed) rueidis.RedisResult {
	var result rueidis.RedisResult
	_, err := b.on(addr, func(l *link) rueidis.RedisResult {
		results := l.client.DoMulti(context.Background(), l.client.B().Asking().Build(), build(l))
		result = results[1]
		return result
	})
	if result.NonRedisError() == nil && err != nil {
		if _, refused := rueidis.IsRedisErr(err); !refused && !rueidis.IsRedisNil(err) {
			return rueidis.NewErrorResult(err)
		}
	}
	return result
}
