/*
 * `floor PORT` is the floor of a broadcast: one thread, one send() for each event and subscriber, and as little as possible around it.
 *
 * It speaks just enough of WebSocket and of the Pusher protocol that `reverb bench broadcast` can connect, subscribe to one channel, and
 * publish. It checks nothing: no keys, no signatures. Every event goes to every subscriber. Sockets block, so a reader that stops stops
 * everyone. What a server costs above this is its own; what this costs is the kernel's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_FD = 1 << 20, ROOM = 16 << 10, EVENTS = 512 };

/* What is known of a connection, by its descriptor. */
struct peer {
	char *rest; /* what came and is not done with; NULL when nothing is */
	size_t have;
	int websocket, place; /* place in subscribers, plus one; 0: none */
};

static struct peer peers[MAX_FD];
static int subscribers[MAX_FD], count;

static uint32_t left(uint32_t x, int bits) { return x << bits | x >> (32 - bits); }

/* SHA-1 of a message of 60 bytes, which is two blocks (RFC 3174): the handshake's key and its magic text. */
static void sha1(const char *text, uint8_t digest[20])
{
	uint8_t block[128] = {0};
	uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0}, v[5], w[80];

	memcpy(block, text, 60);
	block[60] = 0x80, block[126] = 60 * 8 >> 8, block[127] = 60 * 8 & 255;
	for (uint8_t *b = block; b < block + 128; b += 64) {
		memcpy(v, h, sizeof v);
		for (int t = 0; t < 80; t++) {
			w[t] = t < 16 ? (uint32_t)b[4 * t] << 24 | b[4 * t + 1] << 16 | b[4 * t + 2] << 8 | b[4 * t + 3]
				      : left(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
			uint32_t f = t < 20   ? ((v[1] & v[2]) | (~v[1] & v[3])) + 0x5A827999
				     : t < 40 ? (v[1] ^ v[2] ^ v[3]) + 0x6ED9EBA1
				     : t < 60 ? ((v[1] & v[2]) | (v[1] & v[3]) | (v[2] & v[3])) + 0x8F1BBCDC
					      : (v[1] ^ v[2] ^ v[3]) + 0xCA62C1D6;
			f += left(v[0], 5) + v[4] + w[t];
			v[4] = v[3], v[3] = v[2], v[2] = left(v[1], 30), v[1] = v[0], v[0] = f;
		}
		for (int i = 0; i < 5; i++)
			h[i] += v[i];
	}
	for (int i = 0; i < 20; i++)
		digest[i] = h[i / 4] >> (24 - 8 * (i % 4));
}

/* The 28 characters of Sec-WebSocket-Accept (RFC 6455 section 4.2.2). */
static void accept_key(const char *key, char out[29])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char text[61];
	uint8_t d[21] = {0};

	snprintf(text, sizeof text, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
	sha1(text, d);
	for (int i = 0, o = 0; i < 21; i += 3) {
		uint32_t n = d[i] << 16 | d[i + 1] << 8 | d[i + 2];
		for (int bits = 18; bits >= 0; bits -= 6)
			out[o++] = digits[n >> bits & 63];
	}
	strcpy(out + 27, "=");
}

/* Sends all of it; a peer that is gone is found out by its hang-up. */
static void push(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = send(fd, data, size, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			return;
		if (n > 0)
			data += n, size -= n;
	}
}

/* Puts the header of a whole text in front of what stands at frame + 4, and returns where the frame begins. */
static char *seal(char *frame, size_t size, size_t *whole)
{
	char *begin = size < 126 ? frame + 2 : frame;

	begin[0] = (char)0x81;
	begin[1] = size < 126 ? size : 126;
	if (size >= 126)
		begin[2] = size >> 8, begin[3] = size;
	*whole = frame + 4 + size - begin;
	return begin;
}

static void say(int fd, const char *text)
{
	char frame[512];
	size_t whole;

	strcpy(frame + 4, text);
	char *begin = seal(frame, strlen(text), &whole);
	push(fd, begin, whole);
}

/* Copies the characters between the quotes that follow after; 0 if they are not there or too many. */
static int quoted(const char *text, const char *after, char *out, size_t room)
{
	const char *begin = strstr(text, after), *end = NULL;

	if (begin && (begin = strchr(begin + strlen(after), '"')))
		end = strchr(++begin, '"');
	if (!end || (size_t)(end - begin) >= room)
		return 0;
	memcpy(out, begin, end - begin);
	out[end - begin] = 0;
	return 1;
}

/* The loop that all of this is about. */
static void broadcast(const char *body)
{
	static char channel[256], data[ROOM], frame[ROOM + 512];
	size_t whole;

	if (!quoted(body, "\"channels\":[", channel, sizeof channel) || !quoted(body, "\"data\":", data, sizeof data))
		return;
	size_t size = sprintf(frame + 4, "{\"event\":\"bench\",\"data\":\"%s\",\"channel\":\"%s\"}", data, channel);
	char *begin = seal(frame, size, &whole);
	for (int i = 0; i < count; i++)
		push(subscribers[i], begin, whole);
}

/* Takes one request with its body; returns the bytes it had, 0 when it is not complete. */
static size_t request(int fd, struct peer *p, char *text)
{
	static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
	char *end = strstr(text, "\r\n\r\n"), *key = strcasestr(text, "Sec-WebSocket-Key: "), *length, answer[256], accept[29];

	if (!end)
		return 0;
	end += 4;
	if (key && key < end) {
		accept_key(key + 19, accept);
		push(fd, answer, sprintf(answer, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
						 "Sec-WebSocket-Accept: %s\r\n\r\n", accept));
		sprintf(answer, "{\"event\":\"pusher:connection_established\","
				"\"data\":\"{\\\"socket_id\\\":\\\"%d.1\\\",\\\"activity_timeout\\\":120}\"}", fd);
		say(fd, answer);
		p->websocket = 1;
		return end - text;
	}
	length = strcasestr(text, "Content-Length: ");
	size_t body = length && length < end ? strtoul(length + 16, NULL, 10) : 0;
	if (text + p->have < end + body)
		return 0;
	push(fd, ok, sizeof ok - 1);
	broadcast(end);
	return end - text + body;
}

/* Takes one masked frame of a client; returns the bytes it had, 0 when it is not complete. */
static size_t frame(int fd, struct peer *p, uint8_t *b)
{
	char text[1024] = "", channel[256], answer[400];
	size_t head = 6, size = b[1] & 127;

	if (size == 126)
		size = b[2] << 8 | b[3], head = 8;
	if (p->have < 6 || p->have < head + size)
		return 0;
	for (size_t i = 0; i < size && i < sizeof text - 1; i++)
		text[i] = b[head + i] ^ b[head - 4 + i % 4];
	if ((b[0] & 15) == 8)
		shutdown(fd, SHUT_RDWR);
	else if (strstr(text, "pusher:ping"))
		say(fd, "{\"event\":\"pusher:pong\",\"data\":\"{}\"}");
	else if (strstr(text, "pusher:subscribe") && quoted(text, "\"channel\":", channel, sizeof channel)) {
		sprintf(answer, "{\"event\":\"pusher_internal:subscription_succeeded\",\"data\":\"{}\",\"channel\":\"%s\"}", channel);
		say(fd, answer);
		if (!p->place)
			subscribers[count++] = fd, p->place = count;
	}
	return head + size;
}

static void hang_up(int fd, struct peer *p)
{
	if (p->place) {
		int last = subscribers[--count];
		subscribers[p->place - 1] = last;
		peers[last].place = p->place;
	}
	free(p->rest);
	*p = (struct peer){0};
	close(fd);
}

static void readable(int fd)
{
	static char room[ROOM + 1];
	struct peer *p = &peers[fd];
	char *at = room;

	if (p->have)
		memcpy(room, p->rest, p->have);
	ssize_t n = recv(fd, room + p->have, ROOM - p->have, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		return hang_up(fd, p);
	free(p->rest);
	p->rest = NULL;
	p->have += n;
	at[p->have] = 0;
	for (size_t done; (done = p->websocket ? frame(fd, p, (uint8_t *)at) : request(fd, p, at)); at += done)
		p->have -= done;
	if (p->have)
		p->rest = memcpy(malloc(p->have), at, p->have);
}

int main(int argc, char **argv)
{
	int on = 1, loop = epoll_create1(0), listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 0), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct epoll_event ready[EVENTS], want = {.events = EPOLLIN, .data.fd = listener};

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* those it accepts have it too */
	if (argc != 2 || bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 4096)) {
		perror("floor PORT");
		return 1;
	}
	epoll_ctl(loop, EPOLL_CTL_ADD, listener, &want);
	for (;;)
		for (int i = 0, n = epoll_wait(loop, ready, EVENTS, -1); i < n; i++)
			if (ready[i].data.fd != listener)
				readable(ready[i].data.fd);
			else
				while ((want.data.fd = accept4(listener, NULL, NULL, 0)) >= 0 && want.data.fd < MAX_FD)
					epoll_ctl(loop, EPOLL_CTL_ADD, want.data.fd, &want);
}
