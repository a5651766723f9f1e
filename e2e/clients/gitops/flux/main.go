// What Flux's kustomize-controller does with what it has built: apply in stages, wait by kstatus, find drift by dry run, prune what is
// in its inventory no more, delete all. By its own packages. What it asked is recorded for the replay in `npm test`.
//
//	flux KUBECONFIG RECORD-FILE MANIFESTS
//
// The manifests are those of an estate that becomes Ready, with an instance `web-0` of the project `default` that has a ConfigMap `notes`.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/polling"
	"github.com/fluxcd/cli-utils/pkg/object"
	"github.com/fluxcd/pkg/ssa"
	"github.com/fluxcd/pkg/ssa/normalize"
	"github.com/fluxcd/pkg/ssa/utils"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"plumb.dev/e2e/clients/gitops/record"
)

const (
	manager  = "kustomize-controller"
	patience = 90 * time.Second
)

func named(objects []*unstructured.Unstructured, kind, name string) *unstructured.Unstructured {
	for _, one := range objects {
		if one.GetKind() == kind && one.GetName() == name {
			return one
		}
	}
	record.Expect(false, "the manifests have no %s %s", kind, name)
	return nil
}

func read(file string) []*unstructured.Unstructured {
	text, err := os.ReadFile(file)
	record.Check(err, "manifests")
	objects, err := utils.ReadObjects(strings.NewReader(string(text)))
	record.Check(err, "manifests")
	return objects
}

func main() {
	ctrl.SetLogger(klog.NewKlogr())
	var recorder record.Recorder
	config, err := recorder.Config(os.Args[1])
	record.Check(err, "kubeconfig")
	flux, direct := managerOf(config)
	ctx := context.Background()
	objects := read(os.Args[3])
	record.Check(normalize.UnstructuredList(objects), "defaults")
	flux.SetOwnerLabels(objects, "estate", "flux-system")

	wait := ssa.WaitOptions{Interval: 200 * time.Millisecond, Timeout: patience, FailFast: true}
	apply := ssa.DefaultApplyOptions()
	apply.WaitInterval, apply.WaitTimeout = wait.Interval, wait.Timeout
	applied, err := flux.ApplyAllStaged(ctx, objects, apply)
	record.Check(err, "apply")
	are(applied, ssa.CreatedAction, len(objects))
	record.Check(flux.WaitForSet(applied.ToObjMetadataSet(), wait), "wait")
	ready(ctx, direct, "web-0")

	again, err := flux.ApplyAll(ctx, objects, apply)
	record.Check(err, "apply of the same")
	are(again, ssa.UnchangedAction, len(objects))

	drift(ctx, flux, direct, objects, apply)
	failing(ctx, flux, objects, apply, wait)
	prune(ctx, flux, objects, applied, wait)

	gone, err := flux.DeleteAll(ctx, objects, ssa.DeleteOptions{
		PropagationPolicy: "Background",
		Inclusions:        flux.GetOwnerLabels("estate", "flux-system"),
	})
	record.Check(err, "delete all")
	are(gone, ssa.DeletedAction, len(objects))
	record.Check(flux.WaitForTermination(objects, wait), "wait until all are gone")
	record.Check(recorder.Write(os.Args[2]), "record")
	fmt.Println("Flux applies, waits, finds drift, prunes and deletes")
}

func managerOf(config *rest.Config) (*ssa.ResourceManager, client.Client) {
	web, err := rest.HTTPClientFor(config)
	record.Check(err, "client")
	mapper, err := apiutil.NewDynamicRESTMapper(config, web)
	record.Check(err, "mapper")
	direct, err := client.New(config, client.Options{HTTPClient: web, Mapper: mapper})
	record.Check(err, "client")
	poller := polling.NewStatusPoller(direct, mapper, polling.Options{})
	return ssa.NewResourceManager(direct, poller, ssa.Owner{Field: manager, Group: "kustomize.toolkit.fluxcd.io"}), direct
}

func are(set *ssa.ChangeSet, action ssa.Action, count int) {
	record.Expect(len(set.Entries) == count, "%d of %d objects:\n%s", len(set.Entries), count, set)
	for _, entry := range set.Entries {
		record.Expect(entry.Action == action, "not %s: %s", action, entry)
	}
}

// ready: Wait is over, so it must be so. What was not looked at yet must not have counted as current.
func ready(ctx context.Context, direct client.Client, name string) {
	live := &unstructured.Unstructured{}
	live.SetAPIVersion("plumb.dev/v1")
	live.SetKind("Instance")
	record.Check(direct.Get(ctx, client.ObjectKey{Namespace: "default", Name: name}, live), "get")
	conditions, _, _ := unstructured.NestedSlice(live.Object, "status", "conditions")
	for _, one := range conditions {
		if said := one.(map[string]any); said["type"] == "Ready" && said["status"] == "True" {
			return
		}
	}
	record.Expect(false, "Wait is over and %s is not Ready: %v", name, conditions)
}

// drift: a dry run shows what somebody changed, the next apply mends that and nothing else.
func drift(ctx context.Context, flux *ssa.ResourceManager, direct client.Client, objects []*unstructured.Unstructured, apply ssa.ApplyOptions) {
	web := named(objects, "Instance", "web-0")
	edited := &unstructured.Unstructured{}
	edited.SetGroupVersionKind(web.GroupVersionKind())
	record.Check(direct.Get(ctx, client.ObjectKeyFromObject(web), edited), "get")
	before := edited.DeepCopy()
	edited.SetLabels(map[string]string{"by-hand": "yes"})
	record.Check(unstructured.SetNestedField(edited.Object, "Stopped", "spec", "power"), "set")
	record.Check(direct.Patch(ctx, edited, client.MergeFrom(before), client.FieldOwner("person")), "edit")

	entry, live, merged, err := flux.Diff(ctx, web, ssa.DefaultDiffOptions())
	record.Check(err, "diff")
	record.Expect(entry.Action == ssa.ConfiguredAction && live != nil && merged != nil, "drift was not seen: %v", entry)
	power, _, _ := unstructured.NestedString(merged.Object, "spec", "power")
	record.Expect(power == "Running", "the dry run comes to %q", power)
	record.Expect(merged.GetLabels()["by-hand"] == "yes", "what others added is no drift: %v", merged.GetLabels())

	changes, err := flux.ApplyAll(ctx, objects, apply)
	record.Check(err, "apply")
	for _, one := range changes.Entries {
		expected := ssa.UnchangedAction
		if strings.HasPrefix(one.Subject, "Instance/") && strings.HasSuffix(one.Subject, "/web-0") {
			expected = ssa.ConfiguredAction
		}
		record.Expect(one.Action == expected, "not %s: %s", expected, one)
	}
}

// failing: what cannot be applied fails the whole before anything is written, and what stalls ends the wait at once.
func failing(ctx context.Context, flux *ssa.ResourceManager, objects []*unstructured.Unstructured, apply ssa.ApplyOptions, wait ssa.WaitOptions) {
	wrong := named(objects, "Instance", "web-0").DeepCopy()
	record.Check(unstructured.SetNestedField(wrong.Object, "no", "spec", "spelt"), "set")
	_, err := flux.ApplyAll(ctx, []*unstructured.Unstructured{wrong}, apply)
	record.Expect(err != nil && strings.Contains(err.Error(), "spelt"), "an unknown field was applied: %v", err)

	huge := named(objects, "InstanceOffering", "small").DeepCopy()
	huge.SetName("huge")
	record.Check(unstructured.SetNestedField(huge.Object, int64(1<<20), "spec", "memoryMiB"), "set")
	stalls := named(objects, "Instance", "web-0").DeepCopy()
	stalls.SetName("stalls")
	record.Check(unstructured.SetNestedField(stalls.Object, "huge", "spec", "offering"), "set")
	set, err := flux.ApplyAll(ctx, []*unstructured.Unstructured{huge, stalls}, apply)
	record.Check(err, "apply")
	began := time.Now()
	err = flux.WaitForSet(set.ToObjMetadataSet(), wait)
	record.Expect(err != nil && strings.Contains(err.Error(), "Failed"), "what stalls did not fail the wait: %v", err)
	record.Expect(time.Since(began) < patience/2, "the wait took %v", time.Since(began))
	both := []*unstructured.Unstructured{huge, stalls}
	_, err = flux.DeleteAll(ctx, both, ssa.DefaultDeleteOptions())
	record.Check(err, "delete")
	record.Check(flux.WaitForTermination(both, wait), "wait until it is gone")
}

// prune: what the inventory has and the manifests have no more goes, if it is still Flux's.
func prune(ctx context.Context, flux *ssa.ResourceManager, objects []*unstructured.Unstructured, inventory *ssa.ChangeSet, wait ssa.WaitOptions) {
	var kept object.ObjMetadataSet
	for _, one := range objects {
		if one.GetKind() != "ConfigMap" {
			kept = append(kept, object.UnstructuredToObjMetadata(one))
		}
	}
	now := inventory.ToObjMetadataSet().Diff(kept)
	record.Expect(len(now) == 1 && now[0].Name == "notes", "to prune: %v", now)
	notes := named(objects, "ConfigMap", "notes")
	foreign, err := flux.Delete(ctx, notes, ssa.DeleteOptions{Inclusions: map[string]string{"owner": "somebody"}})
	record.Check(err, "delete of what is not its own")
	record.Expect(foreign.Action == ssa.SkippedAction, "not skipped: %v", foreign)
	gone, err := flux.Delete(ctx, notes, ssa.DefaultDeleteOptions())
	record.Check(err, "delete")
	record.Expect(gone.Action == ssa.DeletedAction, "not deleted: %v", gone)
	record.Check(flux.WaitForTermination([]*unstructured.Unstructured{notes}, wait), "wait until it is gone")
}
