// Random strategic merge patches of ServiceAccounts and what Kubernetes makes of them, one line of JSON each: the cases of
// reconciler/src/api/body/strategic-patch.test.ts.
//
//	strategic COUNT > reconciler/src/api/testing/strategic-patches.jsonl
package main

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

type fields = map[string]any

var dice = rand.New(rand.NewSource(7))

func word() string { return string(rune('a' + dice.Intn(4))) }

func chance(p float64) bool { return dice.Float64() < p }

// words are different from each other.
func words() []any {
	all := []any{}
	for _, i := range dice.Perm(4)[:dice.Intn(4)] {
		all = append(all, string(rune('a'+i)))
	}
	return all
}

func secrets(patch bool) []any {
	all := []any{}
	for _, name := range words() {
		one := fields{"name": name}
		if chance(0.5) {
			one["kind"] = word()
		}
		if patch && chance(0.2) {
			one["$patch"] = "delete"
		}
		if patch && chance(0.2) && one["$patch"] == nil {
			one["kind"] = nil
		}
		all = append(all, one)
	}
	if patch && chance(0.1) {
		all = append(all, fields{"$patch": "replace"})
	}
	return all
}

func labels(patch bool) fields {
	all := fields{}
	for _, key := range words() {
		all[key.(string)] = word()
		if patch && chance(0.3) {
			all[key.(string)] = nil
		}
	}
	if patch && chance(0.1) {
		all["$patch"] = "replace"
	}
	return all
}

func object() fields {
	meta := fields{"name": "x"}
	if chance(0.7) {
		meta["finalizers"] = words()
	}
	if chance(0.7) {
		meta["labels"] = labels(false)
	}
	all := fields{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta}
	if chance(0.8) {
		all["secrets"] = secrets(false)
	}
	if chance(0.3) {
		all["automountServiceAccountToken"] = chance(0.5)
	}
	return all
}

func names(list any) []any {
	all := []any{}
	items, _ := list.([]any)
	for _, item := range items {
		if one, is := item.(fields); is && one["name"] != nil && one["$patch"] == nil {
			all = append(all, fields{"name": one["name"]})
		}
	}
	return all
}

func patch() fields {
	meta := fields{}
	if chance(0.5) {
		meta["finalizers"] = words()
	}
	if chance(0.3) {
		meta["$deleteFromPrimitiveList/finalizers"] = words()
	}
	if chance(0.5) {
		meta["labels"] = labels(true)
	}
	all := fields{"metadata": meta}
	if chance(0.7) {
		all["secrets"] = secrets(true)
		if chance(0.5) {
			order := names(all["secrets"])
			if chance(0.5) {
				order = append(order, fields{"name": "z"})
			}
			dice.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
			all["$setElementOrder/secrets"] = order
		}
	}
	if chance(0.3) {
		all["automountServiceAccountToken"] = nil
	}
	return all
}

func main() {
	count, _ := strconv.Atoi(os.Args[1])
	for range count {
		before, change := object(), patch()
		original, _ := json.Marshal(before)
		sent, _ := json.Marshal(change)
		line := fields{"object": before, "patch": change}
		result, err := strategicpatch.StrategicMergePatch(original, sent, corev1.ServiceAccount{})
		if err != nil {
			line["error"] = err.Error()
		} else {
			line["result"] = json.RawMessage(result)
		}
		text, _ := json.Marshal(line)
		fmt.Println(string(text))
	}
}
