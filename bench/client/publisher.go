package client

// Publisher posts signed events over a fixed number of keep-alive connections, or one connection a request.
type Publisher struct{}

func NewPublisher(t Target, connections int, keepAlive bool) *Publisher { return &Publisher{} }

func (p *Publisher) Publish(body []byte) (status int, err error)      { return 0, nil }
func (p *Publisher) PublishBatch(body []byte) (status int, err error) { return 0, nil }
func (p *Publisher) Get(path, query string) (status int, body []byte, err error) {
	return 0, nil, nil
}
func (p *Publisher) Close() {}
