package loopback

import (
	"net"
	"runtime"
	"strings"
	"testing"
)

func TestAddressesDifferAndAreFree(t *testing.T) {
	seen := make(map[string]bool)
	for range 200 {
		addr, err := Addr()
		if err != nil {
			t.Fatal(err)
		}
		if seen[addr] {
			t.Fatalf("%s was given twice", addr)
		}
		seen[addr] = true
		host, _, _ := net.SplitHostPort(addr)
		if runtime.GOOS == "linux" && host != Host() || !net.ParseIP(host).IsLoopback() {
			t.Fatalf("%s is not on this process's own address %s", addr, Host())
		}
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = l.Close()
	}
}

// What others connect from is not taken from these addresses.
func TestConnectionsComeFromElsewhere(t *testing.T) {
	l, err := net.Listen("tcp", net.JoinHostPort(Host(), "0"))
	if err != nil {
		t.Skip(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if from := c.LocalAddr().String(); strings.HasPrefix(from, Host()+":") {
		t.Errorf("a connection comes from %s", from)
	}
}
