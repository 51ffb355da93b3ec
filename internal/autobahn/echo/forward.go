package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"sync"
	"time"
)

// selfSigned returns a TLS configuration with a certificate for an hour.
func selfSigned() (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make certificate: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, nil
}

// forward wraps TLS around what arrives at the address it returns, and passes it to the server: the testsuite
// speaks plain TCP, but its bytes meet the server's other transport. stop refuses newcomers and awaits the others.
func forward(server *net.TCPAddr) (listening net.Addr, stop func(), err error) {
	ln, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, nil, err
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			plain, err := ln.AcceptTCP()
			if err != nil {
				return
			}
			running.Go(func() { wrap(plain, server) })
		}
	})
	return ln.Addr(), func() {
		_ = ln.Close()
		running.Wait()
	}, nil
}

// wrap copies both ways until both have ended.
func wrap(plain *net.TCPConn, addr *net.TCPAddr) {
	defer func() { _ = plain.Close() }()
	raw, err := net.DialTCP("tcp", nil, addr)
	if err != nil {
		return
	}
	secure := tls.Client(raw, &tls.Config{InsecureSkipVerify: true}) // made a moment ago in this process
	defer func() { _ = secure.Close() }()
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(plain, secure)
		_ = plain.CloseWrite()
	})
	_, _ = io.Copy(secure, plain)
	_ = secure.CloseWrite()
	back.Wait()
}
