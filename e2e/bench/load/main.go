// Command load places calls on a SIP connector and plays the model it talks to, in one process with
// one clock, and prints what it measured as a line of JSON.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

type bench struct {
	started time.Time
	target  string
	local   string
	sip     *net.UDPConn
	peer    *net.UDPAddr
	calls   []*call

	mu      sync.Mutex
	waiting map[string]chan answer
	failure atomic.Value

	measuring atomic.Bool
	// A churn may last for hours: times of frames are not kept.
	keepsNothing bool
	from         atomic.Int64 // frames sent from here, in µs
	until        atomic.Int64 // to here are counted
	sentCount    atomic.Int64
	back         atomic.Int64
	roundTrip    samples
	ingress      samples
	late         samples // round trips of the last second of the window
	barge        samples
}

func (b *bench) now() int64                { return b.since(time.Now()) }
func (b *bench) since(t time.Time) int64   { return t.Sub(b.started).Microseconds() }
func (b *bench) counts(sentAt int64) bool  { return sentAt >= b.from.Load() && sentAt < b.until.Load() }
func (b *bench) isBarging(number int) bool { return b.calls[number].barging.Load() }

func (b *bench) fail(format string, args ...any) {
	b.failure.CompareAndSwap(nil, fmt.Sprintf(format, args...))
}

func (b *bench) onSent() {
	if b.counts(b.now()) {
		b.sentCount.Add(1)
	}
}

func (b *bench) onIngress(m mark, at int64) {
	if !b.keepsNothing && b.counts(m.sent) {
		b.ingress.add(float64(at-m.sent) / 1000)
	}
}

func (b *bench) onEcho(c *call, m mark, at int64) {
	if int(m.call) != c.number {
		b.fail("call %d heard call %d", c.number, m.call)
		return
	}
	if !b.counts(m.sent) {
		return
	}
	b.back.Add(1)
	if b.keepsNothing {
		return
	}
	ms := float64(at-m.sent) / 1000
	b.roundTrip.add(ms)
	if m.sent >= b.until.Load()-1_000_000 {
		b.late.add(ms)
	}
}

func (b *bench) onSpeechStarted(number int) { b.calls[number].started.Store(b.now()) }

func (b *bench) write(text string) { b.sip.WriteToUDP([]byte(text), b.peer) }

// transact sends a request, repeats it as RFC 3261 does, and waits for its final response.
func (b *bench) transact(callID, method, text string, limit time.Duration) (answer, error) {
	key := callID + method
	got := make(chan answer, 4)
	b.mu.Lock()
	b.waiting[key] = got
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		delete(b.waiting, key)
		b.mu.Unlock()
	}()
	deadline := time.After(limit)
	wait := 500 * time.Millisecond
	provisional := false
	for {
		if !provisional {
			b.write(text)
		}
		repeat := time.After(wait)
		wait *= 2
	waiting:
		for {
			select {
			case a := <-got:
				if a.status >= 200 {
					return a, nil
				}
				provisional = true
			case <-repeat:
				break waiting
			case <-deadline:
				return answer{}, fmt.Errorf("%s: no final response in %v", method, limit)
			}
		}
	}
}

func (b *bench) receiveSip() {
	buffer := make([]byte, 65536)
	for {
		n, _, err := b.sip.ReadFromUDP(buffer)
		if err != nil {
			return
		}
		callID, method, a, ok := parseAnswer(string(buffer[:n]))
		if !ok {
			continue
		}
		b.mu.Lock()
		waiting := b.waiting[callID+method]
		b.mu.Unlock()
		if waiting != nil {
			select {
			case waiting <- a:
			default:
			}
		}
	}
}

// pace sends every call's frame each 20 ms, the calls spread over four slots of 5 ms.
func (b *bench) pace(stop <-chan struct{}) {
	next := time.Now()
	for slot := 0; ; slot++ {
		select {
		case <-stop:
			return
		default:
		}
		for i := slot % 4; i < len(b.calls); i += 4 {
			b.calls[i].sendFrame()
		}
		next = next.Add(5 * time.Millisecond)
		if wait := time.Until(next); wait > 0 {
			time.Sleep(wait)
		}
	}
}

type report struct {
	Mode           string     `json:"mode"`
	Calls          int        `json:"calls"`
	Seconds        float64    `json:"seconds"`
	SetupMs        quantiles  `json:"setupMs"`
	CPUMsPerCall   float64    `json:"cpuMsPerCallSecond"`
	LoadCPUMs      float64    `json:"loadCpuMsPerCallSecond"`
	RSSBeforeKiB   int64      `json:"rssBeforeKiB"`
	RSSKiB         int64      `json:"rssKiB"`
	Sent           int64      `json:"framesSent"`
	Lost           int64      `json:"framesLost"`
	IngressMs      quantiles  `json:"ingressMs"`
	RoundTripMs    quantiles  `json:"roundTripMs"`
	AfterStallMs   *quantiles `json:"afterStallMs,omitempty"`
	BargeInMs      *quantiles `json:"bargeInMs,omitempty"`
	RepliesMissing int        `json:"bargeInsMissing,omitempty"`
	Failure        string     `json:"failure,omitempty"`
}

func main() {
	target := flag.String("sip", "127.0.0.1:5060", "where the connector listens")
	model := flag.String("model", "127.0.0.1:8765", "where to play the model")
	mode := flag.String("mode", "echo", "echo, stall, bargein or churn")
	count := flag.Int("calls", 1, "concurrent calls")
	warm := flag.Duration("warm", 2*time.Second, "before the window")
	window := flag.Duration("window", 6*time.Second, "measured time")
	pid := flag.Int("pid", 0, "process whose CPU and memory are measured")
	flag.Parse()
	if err := run(*target, *model, *mode, *count, *warm, *window, *pid); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run(target, model, mode string, count int, warm, window time.Duration, pid int) error {
	b := &bench{started: time.Now(), target: target, waiting: map[string]chan answer{}}
	b.from.Store(1 << 62)
	peer, err := net.ResolveUDPAddr("udp4", target)
	if err != nil {
		return err
	}
	b.peer = peer
	if b.sip, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
		return err
	}
	b.local = b.sip.LocalAddr().String()
	go b.receiveSip()
	modelMode := mode
	if mode == "stall" || mode == "churn" {
		modelMode = "echo"
	}
	if _, err = startRealtime(b, modelMode, model); err != nil {
		return err
	}
	if mode == "churn" {
		return b.churn(count, window)
	}
	out := report{Mode: mode, Calls: count}
	if out.RSSBeforeKiB, err = rssOf(pid); err != nil {
		return err
	}
	for i := 0; i < count; i++ {
		c, err := b.newCall(i)
		if err != nil {
			return err
		}
		b.calls = append(b.calls, c)
	}
	var setup samples
	for _, c := range b.calls {
		at := time.Now()
		if err := c.invite(); err != nil {
			return err
		}
		setup.add(float64(time.Since(at).Microseconds()) / 1000)
		go c.receive()
	}
	stop := make(chan struct{})
	go b.pace(stop)
	time.Sleep(warm)
	b.measure(&out, mode, window, pid)
	close(stop)
	time.Sleep(50 * time.Millisecond)
	for _, c := range b.calls {
		if err := c.bye(); err != nil {
			b.fail("%v", err)
		}
	}
	out.SetupMs = setup.quantiles()
	if failure, ok := b.failure.Load().(string); ok {
		out.Failure = failure
	}
	return json.NewEncoder(os.Stdout).Encode(out)
}

func (b *bench) measure(out *report, mode string, window time.Duration, pid int) {
	cpu, _ := cpuOf(pid)
	own, _ := cpuOf(os.Getpid())
	at := time.Now()
	b.until.Store(b.since(at.Add(window)))
	b.from.Store(b.since(at))
	switch mode {
	case "stall":
		time.Sleep(window / 4)
		syscall.Kill(pid, syscall.SIGSTOP)
		time.Sleep(100 * time.Millisecond)
		syscall.Kill(pid, syscall.SIGCONT)
	case "bargein":
		for _, c := range b.calls {
			time.Sleep(window / time.Duration(2*len(b.calls)))
			c.barging.Store(true)
		}
	}
	time.Sleep(time.Until(at.Add(window)))
	seconds := time.Since(at).Seconds()
	cpuAfter, _ := cpuOf(pid)
	ownAfter, _ := cpuOf(os.Getpid())
	perCall := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 / seconds / float64(out.Calls) }
	out.Seconds = seconds
	out.CPUMsPerCall = perCall(cpuAfter - cpu)
	out.LoadCPUMs = perCall(ownAfter - own)
	out.RSSKiB, _ = rssOf(pid)
	time.Sleep(time.Second) // what is still on its way may come home
	out.Sent = b.sentCount.Load()
	out.Lost = out.Sent - b.back.Load()
	out.IngressMs = b.ingress.quantiles()
	out.RoundTripMs = b.roundTrip.quantiles()
	switch mode {
	case "stall":
		q := b.late.quantiles()
		out.AfterStallMs = &q
	case "bargein":
		out.Lost = 0
		for _, c := range b.calls {
			started, last := c.started.Load(), c.lastOld.Load()
			if started == 0 || last == 0 {
				out.RepliesMissing++
				continue
			}
			b.barge.add(float64(last-started) / 1000)
		}
		q := b.barge.quantiles()
		out.BargeInMs = &q
	}
}
