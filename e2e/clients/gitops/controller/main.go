// A controller as people write them with controller-runtime: a cached manager with leader election, and a reconciler that keeps a
// ConfigMap with the address of every Instance that is labelled so. What it asked is recorded for the replay in `npm test`.
//
//	controller KUBECONFIG RECORD-FILE
//
// It makes what it works on itself, in the project `default`, on an estate that has Zone home, offering small and image tiny.
package main

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	corev1apply "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"plumb.dev/e2e/clients/gitops/record"
)

const (
	project   = "default"
	label     = "example.com/noted"
	finalizer = "example.com/notes"
	condition = "example.com/Noted"
	patience  = 60 * time.Second
)

var instances = schema.GroupVersionKind{Group: "plumb.dev", Version: "v1", Kind: "Instance"}

func instance(name string) *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(instances)
	object.SetNamespace(project)
	object.SetName(name)
	return object
}

func declared(name string) *unstructured.Unstructured {
	object := instance(name)
	object.Object["spec"] = map[string]any{
		"zone": "home", "offering": "small", "image": "tiny",
		"interfaces": []any{map[string]any{"name": "eth0", "l3Network": "lab"}},
	}
	return object
}

// notes reconciles: finalizer, ConfigMap that the Instance owns, event, condition.
type notes struct {
	client.Client
	recorder events.EventRecorder
	runs     atomic.Int64
}

func (n *notes) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	n.runs.Add(1)
	object := instance(request.Name)
	if err := n.Get(ctx, request.NamespacedName, object); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if object.GetLabels()[label] == "" {
		return ctrl.Result{}, nil
	}
	if !object.GetDeletionTimestamp().IsZero() {
		before := object.DeepCopy()
		if controllerutil.RemoveFinalizer(object, finalizer) {
			n.recorder.Eventf(object, nil, corev1.EventTypeNormal, "Forgotten", "Forget", "the notes on %s go", object.GetName())
			return ctrl.Result{}, client.IgnoreNotFound(n.Patch(ctx, object, client.MergeFrom(before)))
		}
		return ctrl.Result{}, nil
	}
	before := object.DeepCopy()
	if controllerutil.AddFinalizer(object, finalizer) {
		return ctrl.Result{}, n.Patch(ctx, object, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	}
	host, _, _ := unstructured.NestedString(object.Object, "status", "host")
	note := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: object.GetName(), Namespace: project}}
	result, err := controllerutil.CreateOrUpdate(ctx, n.Client, note, func() error {
		note.Data = map[string]string{"host": host}
		return controllerutil.SetControllerReference(object, note, n.Scheme())
	})
	if err != nil {
		return ctrl.Result{}, err
	}
	if result != controllerutil.OperationResultNone {
		n.recorder.Eventf(object, note, corev1.EventTypeNormal, "Noted", "Note", "%s is on host %q", object.GetName(), host)
	}
	return ctrl.Result{}, n.tell(ctx, object)
}

// tell writes a condition beside those of the server.
func (n *notes) tell(ctx context.Context, object *unstructured.Unstructured) error {
	conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, one := range conditions {
		if one.(map[string]any)["type"] == condition {
			return nil
		}
	}
	if len(conditions) == 0 {
		return nil
	}
	conditions = append(conditions, map[string]any{
		"type": condition, "status": "True", "reason": "Noted", "message": "is noted",
		"lastTransitionTime": metav1.Now().UTC().Format(time.RFC3339),
	})
	if err := unstructured.SetNestedSlice(object.Object, conditions, "status", "conditions"); err != nil {
		return err
	}
	err := n.Status().Update(ctx, object)
	if apierrors.IsConflict(err) {
		return nil // Its change brings it here again.
	}
	return err
}

func until(what string, holds func() (bool, error)) {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		done, err := holds()
		record.Check(err, what)
		if done {
			return
		}
	}
	record.Expect(false, "not within %v: %s", patience, what)
}

func main() {
	ctrl.SetLogger(klog.NewKlogr())
	var recorder record.Recorder
	config, err := recorder.Config(os.Args[1])
	record.Check(err, "kubeconfig")
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Metrics:                 server.Options{BindAddress: "0"},
		LeaderElection:          true,
		LeaderElectionID:        "notes.example.com",
		LeaderElectionNamespace: project,
		// The lock is given back at the end, so the next one need not wait for it.
		LeaderElectionReleaseOnCancel: true,
	})
	record.Check(err, "manager")
	reconciler := &notes{Client: manager.GetClient(), recorder: manager.GetEventRecorder("notes")}
	err = ctrl.NewControllerManagedBy(manager).Named("notes").For(instance("")).Owns(&corev1.ConfigMap{}).Complete(reconciler)
	record.Check(err, "controller")
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- manager.Start(ctx) }()
	<-manager.Elected()

	// Asks the server, while the manager's client asks the cache.
	direct, err := client.New(config, client.Options{})
	record.Check(err, "client")
	checkReconciler(ctx, direct, reconciler)
	checkWrites(ctx, direct)
	checkLists(ctx, direct)

	cancel()
	record.Check(<-ended, "manager")
	record.Check(recorder.Write(os.Args[2]), "record")
	fmt.Println("a controller of controller-runtime works")
}

// checkReconciler: what is declared is noted, what is broken is mended, what is deleted is let go, and what it owned goes.
func checkReconciler(ctx context.Context, direct client.Client, reconciler *notes) {
	object := declared("noted")
	object.SetLabels(map[string]string{label: "yes"})
	record.Check(direct.Create(ctx, object), "create")
	key := client.ObjectKeyFromObject(object)
	note := &corev1.ConfigMap{}
	until("noted where it is", func() (bool, error) {
		err := direct.Get(ctx, key, note)
		return err == nil && note.Data["host"] != "", client.IgnoreNotFound(err)
	})
	record.Expect(metav1.IsControlledBy(note, object), "the note is not the Instance's: %+v", note.OwnerReferences)
	until("Ready, with the condition of the controller", func() (bool, error) {
		err := direct.Get(ctx, key, object)
		said := map[string]any{}
		conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
		for _, one := range conditions {
			said[one.(map[string]any)["type"].(string)] = one.(map[string]any)["status"]
		}
		return said["Ready"] == "True" && said[condition] == "True", err
	})
	record.Expect(controllerutil.ContainsFinalizer(object, finalizer), "no finalizer: %v", object.GetFinalizers())
	record.Check(direct.Delete(ctx, note), "delete of what is owned")
	until("noted again", func() (bool, error) {
		again := &corev1.ConfigMap{}
		err := direct.Get(ctx, key, again)
		return err == nil && again.UID != note.UID, client.IgnoreNotFound(err)
	})
	until("told in an event", func() (bool, error) {
		var list eventsv1.EventList
		err := direct.List(ctx, &list, client.InNamespace(project), client.MatchingFields{"regarding.name": "noted", "reason": "Noted"})
		return len(list.Items) > 0, err
	})
	record.Check(direct.Delete(ctx, object, client.PropagationPolicy(metav1.DeletePropagationBackground)), "delete")
	until("gone, with what it owned", func() (bool, error) {
		err := direct.Get(ctx, key, instance(""))
		owned := direct.Get(ctx, key, note)
		if err == nil || owned == nil {
			return false, nil
		}
		return true, client.IgnoreNotFound(err)
	})
	record.Expect(reconciler.runs.Load() > 3, "it was reconciled %d times", reconciler.runs.Load())
}

// checkWrites: every way to write there is.
func checkWrites(ctx context.Context, direct client.Client) {
	note := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "written-", Namespace: project}, Data: map[string]string{"a": "1"}}
	record.Check(direct.Create(ctx, note, client.DryRunAll), "dry run")
	record.Expect(apierrors.IsNotFound(direct.Get(ctx, client.ObjectKeyFromObject(note), &corev1.ConfigMap{})), "a dry run wrote")
	note.GenerateName, note.Name, note.ResourceVersion, note.UID = "", "written", "", ""
	note.CreationTimestamp, note.ManagedFields = metav1.Time{}, nil
	record.Check(direct.Create(ctx, note), "create")
	err := direct.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "written", Namespace: project}})
	record.Expect(apierrors.IsAlreadyExists(err), "created twice: %v", err)

	stale := note.DeepCopy()
	note.Data["a"] = "2"
	record.Check(direct.Update(ctx, note), "update")
	stale.Data["a"] = "3"
	err = direct.Update(ctx, stale)
	record.Expect(apierrors.IsConflict(err), "a stale update went through: %v", err)
	err = direct.Patch(ctx, stale, client.MergeFromWithOptions(note, client.MergeFromWithOptimisticLock{}))
	record.Check(err, "merge patch with the version")
	before := stale.DeepCopy()
	stale.Data["b"] = "x"
	record.Check(direct.Patch(ctx, stale, client.StrategicMergeFrom(before)), "strategic merge patch")
	record.Check(direct.Patch(ctx, stale, client.RawPatch(types.JSONPatchType, []byte(`[{"op":"remove","path":"/data/b"}]`))), "JSON patch")
	record.Expect(stale.Data["b"] == "" && stale.Data["a"] == "3", "patched otherwise: %v", stale.Data)

	applied := corev1apply.ConfigMap("applied", project).WithData(map[string]string{"a": "1"})
	record.Check(direct.Apply(ctx, applied, client.FieldOwner("one")), "apply")
	other := corev1apply.ConfigMap("applied", project).WithData(map[string]string{"a": "2"})
	err = direct.Apply(ctx, other, client.FieldOwner("two"))
	record.Expect(apierrors.IsConflict(err), "applied over another: %v", err)
	record.Check(direct.Apply(ctx, other, client.FieldOwner("two"), client.ForceOwnership), "forced apply")
	guest := declared("applied")
	record.Check(direct.Apply(ctx, client.ApplyConfigurationFromUnstructured(guest), client.FieldOwner("one")), "apply of an Instance")
	err = direct.Patch(ctx, instance("applied"), client.StrategicMergeFrom(instance("applied")))
	record.Expect(apierrors.IsUnsupportedMediaType(err), "strategic merge patch of an Instance: %v", err)
	for _, name := range []string{"written", "applied"} {
		record.Check(direct.Delete(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: project}}), "delete")
	}
	wrong := client.Preconditions{UID: ptr(types.UID("0")), ResourceVersion: ptr("1")}
	err = direct.Delete(ctx, instance("applied"), wrong)
	record.Expect(apierrors.IsConflict(err), "deleted another: %v", err)
	record.Check(direct.Delete(ctx, instance("applied")), "delete")
}

// checkLists: pages, selectors, metadata alone, and deletion of what is selected.
func checkLists(ctx context.Context, direct client.Client) {
	for n := range 5 {
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("page-%d", n), Namespace: project, Labels: map[string]string{"paged": "yes"},
		}}
		record.Check(direct.Create(ctx, object), "create")
	}
	selected := client.MatchingLabels{"paged": "yes"}
	var names []string
	for page := ""; ; {
		var list corev1.ConfigMapList
		record.Check(direct.List(ctx, &list, client.InNamespace(project), selected, client.Limit(2), client.Continue(page)), "list")
		for _, item := range list.Items {
			names = append(names, item.Name)
		}
		if page = list.Continue; page == "" {
			break
		}
	}
	record.Expect(len(names) == 5, "pages hold %v", names)
	heads := &metav1.PartialObjectMetadataList{}
	heads.SetGroupVersionKind(instances.GroupVersion().WithKind("InstanceList"))
	record.Check(direct.List(ctx, heads), "metadata of all projects")
	record.Check(direct.DeleteAllOf(ctx, &corev1.ConfigMap{}, client.InNamespace(project), selected), "delete of what is selected")
	var left corev1.ConfigMapList
	record.Check(direct.List(ctx, &left, client.InNamespace(project), selected), "list")
	record.Expect(len(left.Items) == 0, "%d are left", len(left.Items))
}

func ptr[T any](value T) *T { return &value }
