package server_test

import (
	"fmt"
	"testing"

	"reverb/channels"
	"reverb/protocol"
	"reverb/transport"
	"reverb/transport/transporttest"
)

// BenchmarkTerminate asks to terminate a user of whom this node has no connection, among many presence channels of
// others: what every node of a cluster but one or two is asked.
func BenchmarkTerminate(b *testing.B) {
	for _, n := range []int{100, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			node := benchNode(b)
			for i := range n {
				name := fmt.Sprintf("presence-room.%d", i)
				data, err := protocol.ParseMemberData(fmt.Sprintf(`{"user_id":%d}`, i))
				if err != nil {
					b.Fatal(err)
				}
				ss := node.Open(transporttest.Discard{}, &transport.Request{Path: "/app/key"}).(channels.Subscriber)
				if _, err := node.hub.Subscribe("1", name, ss, nil, channels.JoinOptions{Kind: protocol.KindOf(name), Data: &data}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				node.Terminate("1", "nobody")
			}
		})
	}
}
