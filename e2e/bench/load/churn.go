package main

import (
	"encoding/json"
	"math/rand"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Calls of the churn last from shortest to longest, so that they begin and end at all times.
const (
	shortest = 3 * time.Second
	longest  = 30 * time.Second
)

type churnReport struct {
	Placed  int64  `json:"callsPlaced"`
	Back    int64  `json:"framesBack"`
	Failure string `json:"failure,omitempty"`
}

// churn keeps count calls up for window: each caller hangs up after a while and calls again.
func (b *bench) churn(count int, window time.Duration) error {
	b.until.Store(1 << 62)
	b.from.Store(0)
	b.keepsNothing = true
	until := time.Now().Add(window)
	var placed atomic.Int64
	var callers sync.WaitGroup
	for number := 0; number < count; number++ {
		callers.Add(1)
		go func(number int) {
			defer callers.Done()
			// Callers begin one after the other.
			time.Sleep(time.Duration(number) * 2 * time.Second / time.Duration(count))
			for serial := 0; time.Now().Before(until); serial++ {
				if err := b.callOnce(number, serial, until); err != nil {
					b.fail("call %d.%d: %v", number, serial, err)
					return
				}
				placed.Add(1)
			}
		}(number)
	}
	callers.Wait()
	out := churnReport{Placed: placed.Load(), Back: b.back.Load()}
	if failure, ok := b.failure.Load().(string); ok {
		out.Failure = failure
	}
	return json.NewEncoder(os.Stdout).Encode(out)
}

func (b *bench) callOnce(number, serial int, until time.Time) error {
	c, err := b.newCall(number)
	if err != nil {
		return err
	}
	c.serial = serial
	if err := c.invite(); err != nil {
		c.rtp.Close()
		return err
	}
	go c.receive()
	end := time.Now().Add(shortest + time.Duration(rand.Int63n(int64(longest-shortest))))
	if end.After(until) {
		end = until
	}
	pace := time.NewTicker(20 * time.Millisecond)
	for now := range pace.C {
		if now.After(end) {
			break
		}
		c.sendFrame()
	}
	pace.Stop()
	return c.bye()
}
