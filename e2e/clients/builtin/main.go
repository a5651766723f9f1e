// Every built-in kind through client-go's typed clients, in protobuf alone: created, got, listed, watched, updated, patched,
// deleted. What was sent is written to a file, one line of JSON a request, for the replay in `npm test`.
//
//	builtin KUBECONFIG RECORD-FILE
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

const protobuf = "application/vnd.kubernetes.protobuf"

type request struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Type   string `json:"type,omitempty"`
	Body   []byte `json:"body,omitempty"`
	Status int    `json:"status"`
}

// recorder notes what is sent, and refuses answers that are no protobuf.
type recorder struct {
	next http.RoundTripper
	all  []request
}

func (r *recorder) RoundTrip(sent *http.Request) (*http.Response, error) {
	var body []byte
	if sent.Body != nil {
		read, err := io.ReadAll(sent.Body)
		if err != nil {
			return nil, err
		}
		body = read
		sent.Body = io.NopCloser(bytes.NewReader(body))
	}
	answer, err := r.next.RoundTrip(sent)
	if err != nil {
		return nil, err
	}
	kind := answer.Header.Get("Content-Type")
	if !strings.HasPrefix(kind, protobuf) {
		return nil, fmt.Errorf("%s %s was answered as %q", sent.Method, sent.URL.Path, kind)
	}
	if sent.Method != "GET" {
		r.all = append(r.all, request{sent.Method, sent.URL.RequestURI(), sent.Header.Get("Content-Type"), body, answer.StatusCode})
	}
	return answer, nil
}

// client is what all typed clients have.
type client[T runtime.Object, L runtime.Object] interface {
	Create(context.Context, T, metav1.CreateOptions) (T, error)
	Update(context.Context, T, metav1.UpdateOptions) (T, error)
	Get(context.Context, string, metav1.GetOptions) (T, error)
	List(context.Context, metav1.ListOptions) (L, error)
	Watch(context.Context, metav1.ListOptions) (watch.Interface, error)
	Patch(context.Context, string, types.PatchType, []byte, metav1.PatchOptions, ...string) (T, error)
	Delete(context.Context, string, metav1.DeleteOptions) error
}

func check(err error, what string) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}

func expect(holds bool, what string, arguments ...any) {
	if !holds {
		fmt.Fprintf(os.Stderr, what+"\n", arguments...)
		os.Exit(1)
	}
}

// same: the object but for what the server sets.
func same(a, b runtime.Object) bool {
	a, b = a.DeepCopyObject(), b.DeepCopyObject()
	for _, one := range []metav1.Object{a.(metav1.Object), b.(metav1.Object)} {
		one.SetUID("")
		one.SetResourceVersion("")
		one.SetGeneration(0)
		one.SetCreationTimestamp(metav1.Time{})
		one.SetManagedFields(nil)
	}
	a.GetObjectKind().SetGroupVersionKind(b.GetObjectKind().GroupVersionKind())
	return equality.Semantic.DeepEqual(a, b)
}

func exercise[T runtime.Object, L runtime.Object](ctx context.Context, name string, c client[T, L], object T, expected T, change func(T)) {
	created, err := c.Create(ctx, object, metav1.CreateOptions{})
	check(err, "create "+name)
	expect(same(created, expected), "%s was created otherwise: %+v, not %+v", name, created, expected)
	meta := any(created).(metav1.Object)
	made := meta.GetCreationTimestamp()
	expect(meta.GetUID() != "" && !made.IsZero(), "%s has no uid or time", name)
	_, err = c.Create(ctx, object, metav1.CreateOptions{})
	expect(apierrors.IsAlreadyExists(err), "%s was created twice: %v", name, err)

	got, err := c.Get(ctx, meta.GetName(), metav1.GetOptions{})
	check(err, "get "+name)
	expect(equality.Semantic.DeepEqual(got, created), "%s is read otherwise than it was created", name)

	list, err := c.List(ctx, metav1.ListOptions{LabelSelector: "suite=clients"})
	check(err, "list "+name)
	version := any(list).(metav1.ListInterface).GetResourceVersion()
	expect(version != "", "the list of %s has no resourceVersion", name)
	watching, err := c.Watch(ctx, metav1.ListOptions{LabelSelector: "suite=clients", ResourceVersion: version})
	check(err, "watch "+name)
	defer watching.Stop()
	var next func(watch.EventType)
	next = func(kind watch.EventType) {
		select {
		case event, more := <-watching.ResultChan():
			// A namespace is marked before it goes.
			if more && kind == watch.Deleted && event.Type == watch.Modified {
				next(kind)
				return
			}
			expect(more && event.Type == kind, "%s: the watch gave %v (%v), not %v", name, event.Type, more, kind)
			expect(any(event.Object).(metav1.Object).GetUID() == meta.GetUID(), "%s: an event of another object", name)
		case <-time.After(20 * time.Second):
			expect(false, "%s: no event %v came", name, kind)
		}
	}

	changed := created.DeepCopyObject().(T)
	change(changed)
	updated, err := c.Update(ctx, changed, metav1.UpdateOptions{})
	check(err, "update "+name)
	expect(same(updated, changed), "%s was updated otherwise: %+v", name, updated)
	next(watch.Modified)
	_, err = c.Update(ctx, changed, metav1.UpdateOptions{})
	expect(apierrors.IsConflict(err), "a stale update of %s was taken: %v", name, err)

	patch := []byte(`{"metadata":{"annotations":{"example.com/patched":"yes"}}}`)
	patched, err := c.Patch(ctx, meta.GetName(), types.StrategicMergePatchType, patch, metav1.PatchOptions{})
	check(err, "patch "+name)
	expect(any(patched).(metav1.Object).GetAnnotations()["example.com/patched"] == "yes", "%s was not patched", name)
	next(watch.Modified)

	uid := types.UID("another")
	err = c.Delete(ctx, meta.GetName(), metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}})
	expect(apierrors.IsConflict(err), "%s was deleted for another uid: %v", name, err)
	background := metav1.DeletePropagationBackground
	check(c.Delete(ctx, meta.GetName(), metav1.DeleteOptions{PropagationPolicy: &background}), "delete "+name)
	next(watch.Deleted)
	_, err = c.Get(ctx, meta.GetName(), metav1.GetOptions{})
	expect(apierrors.IsNotFound(err), "%s is still there: %v", name, err)
	fmt.Println(name)
}

func main() {
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	check(err, "kubeconfig")
	record := &recorder{}
	config.ContentType = protobuf
	config.AcceptContentTypes = protobuf
	config.UserAgent = "clients"
	config.QPS = 1000
	config.Burst = 1000
	config.WrapTransport = func(next http.RoundTripper) http.RoundTripper {
		record.next = next
		return record
	}
	set, err := kubernetes.NewForConfig(config)
	check(err, "client")
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()

	meta := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Name: name, Labels: map[string]string{"suite": "clients"}, Annotations: map[string]string{"example.com/note": "ö"}}
	}
	in := func(name string) metav1.ObjectMeta {
		m := meta(name)
		m.Namespace = "default"
		return m
	}
	yes, no := true, false

	namespace := &corev1.Namespace{ObjectMeta: meta("clients")}
	active := namespace.DeepCopy()
	active.Status.Phase = corev1.NamespaceActive
	exercise(ctx, "Namespace", set.CoreV1().Namespaces(), namespace, active, func(n *corev1.Namespace) { n.Labels["more"] = "yes" })

	secret := &corev1.Secret{ObjectMeta: in("clients"), Data: map[string][]byte{"a": {0, 1, 255}, "empty": {}}, StringData: map[string]string{"text": "ö"}}
	kept := secret.DeepCopy()
	kept.StringData = nil
	kept.Data["text"] = []byte("ö")
	kept.Type = corev1.SecretTypeOpaque
	exercise(ctx, "Secret", set.CoreV1().Secrets("default"), secret, kept, func(s *corev1.Secret) { s.Data["a"] = []byte("other"); s.Immutable = &no })

	configMap := &corev1.ConfigMap{ObjectMeta: in("clients"), Data: map[string]string{"a": "x\n"}, BinaryData: map[string][]byte{"b": {0, 255}}}
	exercise(ctx, "ConfigMap", set.CoreV1().ConfigMaps("default"), configMap, configMap, func(c *corev1.ConfigMap) { c.Data["a"] = ""; c.Immutable = &yes })

	account := &corev1.ServiceAccount{
		ObjectMeta:                   in("clients"),
		Secrets:                      []corev1.ObjectReference{{Name: "a"}},
		ImagePullSecrets:             []corev1.LocalObjectReference{{Name: "b"}},
		AutomountServiceAccountToken: &no,
	}
	exercise(ctx, "ServiceAccount", set.CoreV1().ServiceAccounts("default"), account, account, func(a *corev1.ServiceAccount) { a.Secrets = nil })

	rules := []rbacv1.PolicyRule{{Verbs: []string{"get"}, APIGroups: []string{"plumb.dev"}, Resources: []string{"instances"}, ResourceNames: []string{"web-0"}}}
	role := &rbacv1.Role{ObjectMeta: in("clients:reader"), Rules: rules}
	exercise(ctx, "Role", set.RbacV1().Roles("default"), role, role, func(r *rbacv1.Role) { r.Rules[0].Verbs = []string{"get", "list"} })

	clusterRole := &rbacv1.ClusterRole{ObjectMeta: meta("clients:reader"), Rules: []rbacv1.PolicyRule{{Verbs: []string{"get"}, NonResourceURLs: []string{"/metrics"}}}}
	exercise(ctx, "ClusterRole", set.RbacV1().ClusterRoles(), clusterRole, clusterRole, func(r *rbacv1.ClusterRole) { r.Rules = rules })

	subjects := []rbacv1.Subject{{Kind: "ServiceAccount", Name: "default", Namespace: "default"}, {Kind: "User", APIGroup: rbacv1.GroupName, Name: "ann"}}
	binding := &rbacv1.RoleBinding{ObjectMeta: in("clients"), RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "clients"}, Subjects: subjects}
	exercise(ctx, "RoleBinding", set.RbacV1().RoleBindings("default"), binding, binding, func(b *rbacv1.RoleBinding) { b.Subjects = subjects[:1] })

	clusterBinding := &rbacv1.ClusterRoleBinding{ObjectMeta: meta("clients"), RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "clients"}, Subjects: subjects}
	exercise(ctx, "ClusterRoleBinding", set.RbacV1().ClusterRoleBindings(), clusterBinding, clusterBinding, func(b *rbacv1.ClusterRoleBinding) { b.Subjects = nil })

	holder, seconds, transitions := "clients", int32(15), int32(0)
	now := metav1.NewMicroTime(time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC))
	lease := &coordinationv1.Lease{ObjectMeta: in("clients"), Spec: coordinationv1.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: &seconds, AcquireTime: &now, RenewTime: &now, LeaseTransitions: &transitions}}
	exercise(ctx, "Lease", set.CoordinationV1().Leases("default"), lease, lease, func(l *coordinationv1.Lease) { l.Spec.RenewTime = nil })

	file, err := os.Create(os.Args[2])
	check(err, "record")
	for _, one := range record.all {
		line, err := json.Marshal(one)
		check(err, "record")
		_, err = file.Write(append(line, '\n'))
		check(err, "record")
	}
	check(file.Close(), "record")
}
