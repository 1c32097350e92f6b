package load

import (
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"github.com/parley-im/parley/proto/wirepb"
)

// Calibration is what could be done at that moment, in milliseconds: an append of
// 256 bytes and its sync on this machine, and a WebSocket message to a node and
// back that nothing else is done for.
type Calibration struct {
	FsyncP50 float64 `json:"fsync_p50_ms"`
	FsyncP99 float64 `json:"fsync_p99_ms"`
	EchoP50  float64 `json:"echo_p50_ms"`
	EchoP99  float64 `json:"echo_p99_ms"`
}

// calibrationTime is how long each measurement lasts.
const calibrationTime = time.Second

// echoes is how many pings a measurement has at most: a node refuses a user more.
const echoes = 150

func calibrateFsync(dir string) (p50, p99 float64, err error) {
	f, err := os.CreateTemp(dir, "fsync-")
	if err != nil {
		return 0, 0, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	block := make([]byte, 256)
	return repeat(math.MaxInt, func() error {
		if _, err := f.Write(block); err != nil {
			return err
		}
		return f.Sync()
	})
}

// repeat measures how long something takes, again and again, some times at most.
func repeat(times int, do func() error) (p50, p99 float64, err error) {
	var took []time.Duration
	for begin := time.Now(); time.Since(begin) < calibrationTime && len(took) < times; {
		at := time.Now()
		if err := do(); err != nil {
			return 0, 0, err
		}
		took = append(took, time.Since(at))
	}
	slices.Sort(took)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return ms(took[len(took)/2]), ms(took[len(took)*99/100]), nil
}

// calibrateEcho has the first user's node answer pings.
func (c *crowd) calibrateEcho() (p50, p99 float64, err error) {
	return repeat(echoes, func() error {
		f, err := c.users[0].ask(c.ctx, &wirepb.ClientFrame{Body: &wirepb.ClientFrame_Ping{Ping: &wirepb.Ping{}}})
		if err == nil && f.GetPing() == nil {
			err = fmt.Errorf("a ping was not answered by a pong: %v", f.GetError().GetMessage())
		}
		return err
	})
}
