package load

import (
	"fmt"
	"time"

	"github.com/prometheus/procfs"
)

// usage sums what processes have used: user and system time, and resident memory
// in bytes.
func usage(pids ...int) (cpu time.Duration, rss int64, err error) {
	for _, pid := range pids {
		p, err := procfs.NewProc(pid)
		if err != nil {
			return 0, 0, err
		}
		stat, err := p.Stat()
		if err != nil {
			return 0, 0, fmt.Errorf("process %d: %w", pid, err)
		}
		status, err := p.NewStatus()
		if err != nil {
			return 0, 0, fmt.Errorf("process %d: %w", pid, err)
		}
		cpu += time.Duration(stat.CPUTime() * float64(time.Second))
		rss += int64(status.VmRSS)
	}
	return cpu, rss, nil
}

// Machine is where the time of the generator's machine went while users talked,
// in seconds of one core. What the server and the generator did not use of Busy,
// others did, or the kernel for them, but the system counts it by samples, and
// too little when much is short. Stolen is what the host of a virtual machine kept
// from it. Figures of a run with much of either are the machine's.
type Machine struct {
	Cores   int     `json:"cores"`
	Seconds float64 `json:"seconds"` // all cores together
	Busy    float64 `json:"busy_seconds"`
	Stolen  float64 `json:"stolen_seconds"`
}

// machineTime is what the cores have done since the machine started.
func machineTime() (Machine, error) {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return Machine{}, err
	}
	stat, err := fs.Stat()
	if err != nil {
		return Machine{}, err
	}
	t := stat.CPUTotal
	busy := t.User + t.Nice + t.System + t.IRQ + t.SoftIRQ
	return Machine{Cores: len(stat.CPU), Seconds: busy + t.Idle + t.Iowait + t.Steal, Busy: busy, Stolen: t.Steal}, nil
}

// since is what the cores did after earlier.
func (m Machine) since(earlier Machine) Machine {
	return Machine{Cores: m.Cores, Seconds: m.Seconds - earlier.Seconds, Busy: m.Busy - earlier.Busy, Stolen: m.Stolen - earlier.Stolen}
}

// StolenShare is the part of the cores' time that the host kept, 0 to 1.
func (m Machine) StolenShare() float64 {
	if m.Seconds <= 0 {
		return 0
	}
	return m.Stolen / m.Seconds
}
