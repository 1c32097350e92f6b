package ws

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
)

// crowd is a listener with everybody in front of it.
type crowd struct{ taken int }

func (c *crowd) Accept() (net.Conn, error) {
	c.taken++
	one, _ := net.Pipe()
	return one, nil
}
func (c *crowd) Close() error   { return nil }
func (c *crowd) Addr() net.Addr { return nil }

// enter accepts until the door lets nobody in.
func enter(d *Door, in *[]net.Conn) (ended chan error) {
	ended = make(chan error, 1)
	go func() {
		for {
			c, err := d.Accept()
			if err != nil {
				ended <- err
				return
			}
			*in = append(*in, c)
		}
	}()
	return ended
}

func TestADoorLetsInWhenOthersAreThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var in []net.Conn
		d := NewDoor(&crowd{})
		ended := enter(d, &in)
		synctest.Wait()
		if len(in) != atDoor {
			t.Errorf("%d are taken, want %d", len(in), atDoor)
		}
		d.ConnState(in[0], http.StateActive)
		synctest.Wait()
		if len(in) != atDoor {
			t.Errorf("one that has begun a request has made room: %d", len(in))
		}
		for i, s := range []http.ConnState{http.StateHijacked, http.StateIdle, http.StateClosed} {
			d.ConnState(in[i], s)
			d.ConnState(in[i], http.StateClosed) // counts once
		}
		synctest.Wait()
		if len(in) != atDoor+3 {
			t.Errorf("%d are taken when 3 are through, want %d", len(in), atDoor+3)
		}
		if err := errors.Join(d.Close(), <-ended); !errors.Is(err, net.ErrClosed) {
			t.Errorf("accept ends with %v", err)
		}
	})
}

func TestTheSlowKeepNobodyOutOfADoor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var in []net.Conn
		d := NewDoor(&crowd{})
		ended := enter(d, &in)
		later, cancel := context.WithTimeout(t.Context(), 2*doorTime+doorTime/2)
		defer cancel()
		<-later.Done()
		synctest.Wait()
		if len(in) != 3*atDoor {
			t.Errorf("%d are taken, want %d", len(in), 3*atDoor)
		}
		_ = d.Close()
		<-ended
	})
}
