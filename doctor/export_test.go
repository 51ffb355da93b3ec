package doctor

import (
	"bufio"
	"strings"
)

// ReadRedisForTest reads one answer of Redis out of a text.
func ReadRedisForTest(text string) {
	c := &redisConn{in: bufio.NewReader(strings.NewReader(text))}
	answer, err := c.read(0)
	if err == nil {
		_, _ = fields(answer), info(answer)
	}
}
