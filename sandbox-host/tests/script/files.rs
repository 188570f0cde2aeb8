//! Blobs, files, their readers, and forms.

use serde_json::json;

use super::world::{ME, World, logged};

#[test]
fn a_blob_holds_the_bytes_of_its_parts() {
    let world = World::new();

    assert_eq!(
        world.outcome(
            "await (async () => { const b = new Blob(['é', new Uint8Array([65, 66]), new Blob(['c']), new Uint16Array([0x4443]).buffer], {type: 'Text/Plain'}); \
             return [b.size, b.type, await b.text(), await b.slice(2, -1, 'x').text(), Array.from(await b.bytes()).length] })()"
        ),
        json!([7, "text/plain", "éABcCD", "ABcC", 7])
    );
    assert_eq!(
        world.outcome(
            "await (async () => { const bytes = new Uint8Array([1, 2]); const b = new Blob([bytes]); bytes[0] = 9; \
             (await b.bytes())[1] = 9; return Array.from(await b.bytes()) })()"
        ),
        json!([1, 2])
    );
    assert_eq!(world.outcome("new Blob('text')")[0], json!("TypeError"));
    assert_eq!(
        world.value("((f) => [f.name, f.size, f.type, f.lastModified, f instanceof Blob])(new File(['ab'], 'a.txt', {type: 'text/plain', lastModified: 5}))"),
        json!(["a.txt", 2, "text/plain", 5, true])
    );
}

#[test]
fn a_reader_tells_the_contents_through_events() {
    let world = World::running(
        "const r = new FileReader(); const seen = [];
         for (const type of ['loadstart', 'progress', 'load', 'loadend', 'error'])
           r.addEventListener(type, (e) => seen.push(`${type} ${r.readyState} ${e.loaded}`));
         r.onload = () => seen.push(r.result);
         r.readAsText(new Blob(['hé'])); seen.push(r.readyState);
         setTimeout(() => console.log(JSON.stringify(seen)), 50)",
    );

    assert_eq!(
        logged(&world.pass(100)),
        [r#"[1,"loadstart 1 0","progress 2 3","load 2 3","hé","loadend 2 3"]"#]
    );
}

#[test]
fn a_reader_gives_each_of_the_published_forms() {
    let world = World::new();
    let read = |method: &str, then: &str| {
        world.outcome(&format!(
            "await new Promise((done) => {{ const r = new FileReader(); r.onload = () => done({then}); \
             r.{method}(new Blob([new Uint8Array([104, 255])], {{type: 'image/png'}})) }})"
        ))
    };

    assert_eq!(
        read("readAsDataURL", "r.result"),
        json!("data:image/png;base64,aP8=")
    );
    assert_eq!(
        read("readAsArrayBuffer", "[...new Uint8Array(r.result)]"),
        json!([104, 255])
    );
    assert_eq!(
        read("readAsBinaryString", "r.result.charCodeAt(1)"),
        json!(255)
    );
}

#[test]
fn a_reader_reads_one_blob_at_a_time_and_may_be_aborted() {
    let world = World::running(
        "const r = new FileReader(); const seen = [];
         r.onload = () => seen.push('load'); r.onabort = () => seen.push(r.error.name); r.onloadend = () => seen.push('end');
         r.readAsText(new Blob(['a'])); try { r.readAsText(new Blob(['b'])) } catch (e) { seen.push(e.name) }
         r.abort(); try { r.readAsText('text') } catch (e) { seen.push(e.name) }
         setTimeout(() => console.log(seen.join()), 50)",
    );

    assert_eq!(
        logged(&world.pass(100)),
        ["InvalidStateError,AbortError,end,TypeError"]
    );
}

#[test]
fn thousands_of_readers_wait_without_harm() {
    let world = World::running(
        "let read = 0; const blob = new Blob(['x'.repeat(1000)]);
         for (let n = 0; n < 5000; n++) { const r = new FileReader(); r.onload = () => { read += 1 }; r.readAsText(blob) }
         setTimeout(() => console.log(read), 500)",
    );

    assert_eq!(logged(&world.pass(1_000)), ["5000"]);
}

#[test]
fn a_form_is_a_list_of_names_and_values() {
    let world = World::new();

    assert_eq!(
        world.value(
            "((f) => { f.append('a', 1); f.append('a', 2); f.append('b', new Blob(['x']), 'b.txt'); f.set('a', 3); f.append('c', ''); f.delete('c'); \
             return [[...f].map(([n, v]) => [n, v.name ?? v]), f.get('a'), f.getAll('b').length, f.has('c')] })(new FormData())"
        ),
        json!([[["a", "3"], ["b", "b.txt"]], "3", 1, false])
    );
    assert_eq!(
        world.outcome(
            "await (async () => { const f = new FormData(); f.append('a', 'b'); f.append('f', new File(['x'], 'n.txt', {type: 'text/plain'})); \
             const r = new Response(f); const border = r.headers.get('content-type').split('boundary=')[1]; \
             return (await r.text()).split(border).join('B') })()"
        ),
        json!(
            "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"n.txt\"\r\nContent-Type: text/plain\r\n\r\nx\r\n--B--\r\n"
        )
    );
}

#[test]
fn addresses_of_blobs_are_bounded_and_end_with_their_component() {
    let world = World::new();
    let said = world.start(
        ME,
        "let kept; try { for (;;) kept = URL.createObjectURL(new Blob([])) } catch (e) { console.log(e.message) }
         globalThis.kept = kept",
    );

    assert!(
        logged(&said)[0].starts_with("more than 1000 object URLs"),
        "{said:?}"
    );

    world.handle(protocol::frame::CoreFrame::Unload { component: ME });
    assert_eq!(world.outcome("await fetch(kept)")[0], json!("TypeError"));
}
