package poller_test

func runIdleClient() bool { return false }
