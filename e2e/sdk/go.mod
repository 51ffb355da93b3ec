module reverb/e2e/sdk

go 1.26.0

require (
	github.com/gobwas/ws v1.5.0
	github.com/pusher/pusher-http-go/v5 v5.1.1
)

require (
	github.com/gobwas/httphead v0.1.0 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)
