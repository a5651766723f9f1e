// What kstatus and Argo CD say of objects: one line of JSON on standard output for each of standard input.
//
//	health HEALTH.LUA
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/argoproj/argo-cd/gitops-engine/v3/pkg/health"
	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"plumb.dev/e2e/clients/gitops/record"
)

// Scripts of Argo CD have this long, and these libraries: no strings, no files, no network.
const scriptTime = time.Second

var libraries = map[string]lua.LGFunction{
	lua.LoadLibName: lua.OpenPackage,
	lua.BaseLibName: lua.OpenBase,
	lua.TabLibName:  lua.OpenTable,
}

type script string

// GetResourceHealth is how Argo CD asks a script: the object is `obj`, and a table comes back.
func (s script) GetResourceHealth(object *unstructured.Unstructured) (*health.HealthStatus, error) {
	machine := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer machine.Close()
	for name, open := range libraries {
		if err := machine.CallByParam(lua.P{Fn: machine.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), scriptTime)
	defer cancel()
	machine.SetContext(ctx)
	machine.SetGlobal("obj", toLua(machine, object.Object))
	if err := machine.DoString(string(s)); err != nil {
		return nil, err
	}
	table, ok := machine.Get(-1).(*lua.LTable)
	if !ok {
		return nil, fmt.Errorf("the script returned a %s", machine.Get(-1).Type())
	}
	found := health.HealthStatus{}
	for name, into := range map[string]*string{
		"message":         &found.Message,
		"deletionMessage": &found.DeletionMessage,
		"status":          (*string)(&found.Status),
	} {
		switch value := table.RawGetString(name).(type) {
		case lua.LString:
			*into = string(value)
		case *lua.LNilType:
		default:
			return nil, fmt.Errorf("%s is a %s", name, value.Type())
		}
	}
	switch found.Status {
	case health.HealthStatusHealthy, health.HealthStatusProgressing, health.HealthStatusDegraded, health.HealthStatusSuspended:
		return &found, nil
	}
	return nil, fmt.Errorf("the script returned the status %q", found.Status)
}

func toLua(machine *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case nil:
		return lua.LNil
	case bool:
		return lua.LBool(value)
	case string:
		return lua.LString(value)
	case int64:
		return lua.LNumber(value)
	case float64:
		return lua.LNumber(value)
	case []any:
		table := machine.NewTable()
		for _, item := range value {
			table.Append(toLua(machine, item))
		}
		return table
	case map[string]any:
		table := machine.NewTable()
		for key, item := range value {
			table.RawSetString(key, toLua(machine, item))
		}
		return table
	}
	panic(fmt.Sprintf("%T", value))
}

func main() {
	text, err := os.ReadFile(os.Args[1])
	record.Check(err, "script")
	out := json.NewEncoder(os.Stdout)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		object := &unstructured.Unstructured{}
		record.Check(object.UnmarshalJSON(lines.Bytes()), "object")
		computed, err := status.Compute(object)
		record.Check(err, "kstatus")
		found, err := health.GetResourceHealth(object, script(text))
		record.Check(err, "health.lua of "+object.GetKind()+" "+object.GetName())
		record.Check(out.Encode(map[string]string{
			"kstatus":        computed.Status.String(),
			"kstatusMessage": computed.Message,
			"health":         string(found.Status),
			"message":        found.Message,
		}), "answer")
	}
	record.Check(lines.Err(), "input")
}
