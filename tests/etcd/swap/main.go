// Load that etcd's own generator lacks: compare-and-swap. Each client owns keys and swaps one after the other, each time
// comparing with the revision that its last swap got, so every transaction succeeds and is one request.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"math/rand"
	"sort"
	"strings"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const keysPerClient = 100

func main() {
	endpoint := flag.String("endpoint", "127.0.0.1:2379", "the server")
	conns := flag.Int("conns", 10, "connections")
	clients := flag.Int("clients", 100, "clients that each wait for their answer")
	total := flag.Int("total", 100000, "swaps of all clients together")
	valSize := flag.Int("val-size", 256, "bytes of a value")
	flag.Parse()

	connections := make([]*clientv3.Client, *conns)
	for i := range connections {
		client, err := clientv3.New(clientv3.Config{Endpoints: []string{*endpoint}, DialTimeout: 10 * time.Second})
		if err != nil {
			log.Fatal(err)
		}
		defer client.Close()
		connections[i] = client
	}
	took := make([][]time.Duration, *clients)
	var all sync.WaitGroup
	begun := time.Now()
	for i := range took {
		all.Add(1)
		go func() {
			defer all.Done()
			took[i] = swap(connections[i%len(connections)], i, *total / *clients, *valSize)
		}()
	}
	all.Wait()
	report(took, time.Since(begun))
}

// swap returns how long each of its transactions took.
func swap(client *clientv3.Client, number, count, size int) []time.Duration {
	random := rand.New(rand.NewSource(int64(number)))
	value := make([]byte, size)
	revisions := make([]int64, keysPerClient)
	took := make([]time.Duration, 0, count)
	for i := 0; i < count; i++ {
		random.Read(value)
		key := fmt.Sprintf("swap/%04d/%04d", number, i%keysPerClient)
		at := &revisions[i%keysPerClient]
		begun := time.Now()
		compare := clientv3.Compare(clientv3.ModRevision(key), "=", *at)
		answer, err := client.Txn(context.Background()).
			If(compare).
			Then(clientv3.OpPut(key, string(value))).
			Else(clientv3.OpGet(key)).
			Commit()
		if err != nil {
			log.Fatal(err)
		}
		took = append(took, time.Since(begun))
		switch {
		case answer.Succeeded:
			*at = answer.Header.Revision
		// Keys of an earlier run: their revision is read once.
		case *at == 0:
			*at = answer.Responses[0].GetResponseRange().Kvs[0].ModRevision
		default:
			log.Fatalf("%s has one writer, but its swap at revision %d was refused", key, *at)
		}
	}
	return took
}

// report prints in the words of etcd's generator, so that one reader understands both.
func report(took [][]time.Duration, whole time.Duration) {
	var all []time.Duration
	for _, part := range took {
		all = append(all, part...)
	}
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	var text strings.Builder
	fmt.Fprintf(&text, "  Requests/sec:\t%.4f\n", float64(len(all))/whole.Seconds())
	for _, percent := range []float64{50, 90, 99, 99.9} {
		at := min(len(all)-1, int(float64(len(all))*percent/100))
		fmt.Fprintf(&text, "  %g%% in %.4f secs.\n", percent, all[at].Seconds())
	}
	fmt.Print(text.String())
}
