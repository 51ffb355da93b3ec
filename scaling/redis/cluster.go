package redis

import (
	"context"
	"errors"
	"net"
	"slices"
	"strconv"

	"github.com/redis/rueidis"
)

// Master is one server of a topology and its slots, as first and last of ranges. Without a cluster it has none, and everything.
type Master struct {
	Addr  string
	Slots [][2]uint16
}

// Masters asks a server of a cluster for all masters.
//
// CLUSTER SLOTS, not CLUSTER SHARDS: the latter is wrong after a failover in Redis 7.
func (l *Link) Masters(ctx context.Context) ([]Master, error) {
	ranges, err := l.client.Do(ctx, l.B().ClusterSlots().Build()).ToArray()
	if err != nil {
		return nil, err
	}
	return parseSlots(ranges, l.addr)
}

// parseSlots reads the reply of CLUSTER SLOTS: ranges, each with its nodes, the master first. A node without an address is the one that was
// asked.
func parseSlots(ranges []rueidis.RedisMessage, asked string) ([]Master, error) {
	var masters []Master
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
		if addr == "" || first < 0 || first > last || last >= SlotCount {
			continue
		}
		i := slices.IndexFunc(masters, func(m Master) bool { return m.Addr == addr })
		if i < 0 {
			i = len(masters)
			masters = append(masters, Master{Addr: addr})
		}
		masters[i].Slots = append(masters[i].Slots, [2]uint16{uint16(first), uint16(last)})
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

// Ask executes a command for a slot that is just being moved to this server: the one that still has the slot said so.
func (l *Link) Ask(c rueidis.Completed) rueidis.RedisResult {
	return l.Do(l.B().Asking().Build(), c)[1]
}
