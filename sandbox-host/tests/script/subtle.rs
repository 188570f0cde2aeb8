//! `crypto.subtle` against published vectors, and what it refuses.

use std::process::Command;

use serde_json::{Value, json};

use super::world::World;

const HELPERS: &str = "globalThis.hex = (b) => Array.from(new Uint8Array(b), (x) => x.toString(16).padStart(2, '0')).join('');
    globalThis.un = (t) => Uint8Array.from(t.match(/../g) ?? [], (x) => parseInt(x, 16));
    globalThis.text = (t) => new TextEncoder().encode(t);
    globalThis.s = crypto.subtle;";

fn world() -> World {
    let world = World::new();
    world.value(&format!("(() => {{ {HELPERS} }})()"));
    world
}

fn check(cases: &[(&str, Value)]) {
    let world = world();
    for (expression, expected) in cases {
        assert_eq!(&world.outcome(expression), expected, "{expression}");
    }
}

// FIPS 180-4, the message "abc".
#[test]
fn digests_are_those_of_the_standard() {
    check(&[
        (
            "hex(await s.digest('SHA-1', text('abc')))",
            json!("a9993e364706816aba3e25717850c26c9cd0d89d"),
        ),
        (
            "hex(await s.digest({name: 'sha-256'}, text('abc')))",
            json!("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ),
        (
            "hex(await s.digest('SHA-384', text('abc').buffer))",
            json!(
                "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"
            ),
        ),
        (
            "hex(await s.digest('SHA-512', new DataView(text('abc').buffer)))",
            json!(
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
            ),
        ),
        (
            "hex(await s.digest('SHA-256', new Uint8Array(0)))",
            json!("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ),
        (
            "(await s.digest('MD5', text('abc')))",
            json!([
                "NotSupportedError",
                "`MD5` is not supported here: there are SHA-1, SHA-256, SHA-384, SHA-512"
            ]),
        ),
        (
            "(await s.digest('SHA-256', 'abc'))",
            json!([
                "TypeError",
                "the data is neither an ArrayBuffer nor a view of one"
            ]),
        ),
    ]);
}

// RFC 4231, test case 2.
#[test]
fn a_keyed_hash_is_that_of_the_standard_and_is_checked() {
    let key = "await s.importKey('raw', text('Jefe'), {name: 'HMAC', hash: 'SHA-256'}, false, ['sign', 'verify'])";
    let mac = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    check(&[
        (
            &format!("hex(await s.sign('HMAC', {key}, text('what do ya want for nothing?')))"),
            json!(mac),
        ),
        (
            &format!(
                "await s.verify('HMAC', {key}, un('{mac}'), text('what do ya want for nothing?'))"
            ),
            json!(true),
        ),
        (
            &format!(
                "await s.verify('HMAC', {key}, un('{mac}'), text('what do ya want for nothing!'))"
            ),
            json!(false),
        ),
        (
            &format!(
                "await s.verify('HMAC', {key}, un('5bdc'), text('what do ya want for nothing?'))"
            ),
            json!(false),
        ),
        (
            "(await s.generateKey({name: 'HMAC', hash: 'SHA-512'}, true, ['sign'])).algorithm.length",
            json!(1024),
        ),
    ]);
}

// The GCM specification of McGrew and Viega, test case 4.
#[test]
fn a_sealed_text_is_that_of_the_standard_and_opens_only_untouched() {
    let key = "await s.importKey('raw', un('feffe9928665731c6d6a8f9467308308'), 'AES-GCM', false, ['encrypt', 'decrypt'])";
    let how = "{name: 'AES-GCM', iv: un('cafebabefacedbaddecaf888'), additionalData: un('feedfacedeadbeeffeedfacedeadbeefabaddad2')}";
    let plain = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
    let sealed = "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47";
    let touched = sealed.replace("42831e", "42831f");
    check(&[
        (
            &format!("hex(await s.encrypt({how}, {key}, un('{plain}')))"),
            json!(sealed),
        ),
        (
            &format!("hex(await s.decrypt({how}, {key}, un('{sealed}')))"),
            json!(plain),
        ),
        (
            &format!("await s.decrypt({how}, {key}, un('{touched}'))"),
            json!(["OperationError", "cannot decrypt"]),
        ),
        (
            &format!("await s.decrypt({how}, {key}, un('00'))"),
            json!(["OperationError", "cannot decrypt"]),
        ),
        (
            &format!("await s.encrypt({{name: 'AES-GCM', iv: un('00')}}, {key}, un(''))"),
            json!([
                "NotSupportedError",
                "an `iv` of 1 bytes is not supported: say 12"
            ]),
        ),
        (
            "await s.importKey('raw', un('00'), 'AES-GCM', false, ['encrypt'])",
            json!(["DataError", "an AES key has 16, 24 or 32 bytes"]),
        ),
    ]);
}

// RFC 8032 §7.1 test 2, and RFC 7748 §6.1.
#[test]
fn the_25519_curves_are_those_of_the_standards() {
    let seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
    let public = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
    let signature = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
    let private = format!(
        "await s.importKey('pkcs8', un('302e020100300506032b657004220420{seed}'), 'Ed25519', false, ['sign'])"
    );
    let open =
        format!("await s.importKey('raw', un('{public}'), {{name: 'Ed25519'}}, true, ['verify'])");
    check(&[
        (
            &format!("hex(await s.sign('Ed25519', {private}, un('72')))"),
            json!(signature),
        ),
        (
            &format!("await s.verify('Ed25519', {open}, un('{signature}'), un('72'))"),
            json!(true),
        ),
        (
            &format!("await s.verify('Ed25519', {open}, un('{signature}'), un('73'))"),
            json!(false),
        ),
        (
            &format!("hex(await s.exportKey('spki', {open}))"),
            json!(format!("302a300506032b6570032100{public}")),
        ),
        // Alice's key of the RFC with Bob's public one.
        (
            "hex(await s.deriveBits({name: 'X25519', public: await s.importKey('raw', un('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f'), 'X25519', true, [])}, \
             await s.importKey('pkcs8', un('302e020100300506032b656e04220420' + '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a'), 'X25519', false, ['deriveBits']), null))",
            json!("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"),
        ),
    ]);
}

// RFC 6979 A.2.5 (P-256, SHA-256, "sample") and A.2.6 (P-384, SHA-384, "sample").
#[test]
fn signatures_over_the_nist_curves_are_those_of_the_standard() {
    let pair = |curve: &str, d: &str, x: &str, y: &str| {
        format!(
            "await (async () => {{ const b64 = (h) => un(h).toBase64({{alphabet: 'base64url', omitPadding: true}});
             const how = {{name: 'ECDSA', namedCurve: '{curve}', hash: 'SHA-{hash}'}}; const jwk = {{kty: 'EC', crv: '{curve}', x: b64('{x}'), y: b64('{y}')}};
             const mine = await s.importKey('jwk', {{...jwk, d: b64('{d}')}}, how, true, ['sign']); const open = await s.importKey('jwk', jwk, how, true, ['verify']);
             const signed = await s.sign(how, mine, text('sample'));
             const again = await s.importKey('pkcs8', await s.exportKey('pkcs8', mine), how, true, ['sign']);
             const spki = await s.importKey('spki', await s.exportKey('spki', open), how, true, ['verify']);
             const back = await s.exportKey('jwk', again);
             return [hex(signed), await s.verify(how, spki, signed, text('sample')), await s.verify(how, open, signed, text('test')), back.d === b64('{d}') && back.x === jwk.x && back.y === jwk.y] }})()",
            hash = if curve == "P-256" { 256 } else { 384 },
        )
    };
    let p256 = pair(
        "P-256",
        "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
        "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6",
        "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
    );
    let p384 = pair(
        "P-384",
        "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5",
        "ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a254515480bc13",
        "8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720",
    );
    check(&[
        (
            &p256,
            json!([
                "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
                true,
                false,
                true
            ]),
        ),
        (
            &p384,
            json!([
                "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe4699ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8",
                true,
                false,
                true
            ]),
        ),
    ]);
}

// RFC 5869 A.1 and RFC 6070 (the second is of SHA-1).
#[test]
fn derivations_are_those_of_the_standards() {
    check(&[
        (
            "hex(await s.deriveBits({name: 'HKDF', hash: 'SHA-256', salt: un('000102030405060708090a0b0c'), info: un('f0f1f2f3f4f5f6f7f8f9')}, await s.importKey('raw', un('0b'.repeat(22)), 'HKDF', false, ['deriveBits']), 336))",
            json!(
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
            ),
        ),
        (
            "hex(await s.deriveBits({name: 'PBKDF2', hash: 'SHA-1', salt: text('salt'), iterations: 4096}, await s.importKey('raw', text('password'), 'PBKDF2', false, ['deriveBits']), 160))",
            json!("4b007901b765489abead49d926f721d065a429c1"),
        ),
        (
            "(await s.deriveKey({name: 'PBKDF2', hash: 'SHA-256', salt: text('s'), iterations: 1}, await s.importKey('raw', text('p'), 'PBKDF2', false, ['deriveKey']), {name: 'AES-GCM', length: 256}, true, ['encrypt'])).algorithm",
            json!({"name": "AES-GCM", "length": 256}),
        ),
    ]);
}

#[test]
fn two_sides_agree_on_a_secret() {
    let agree = |name: &str, how: &str| {
        format!(
            "await (async () => {{ const [a, b] = await Promise.all([1, 2].map(() => s.generateKey({how}, true, ['deriveBits', 'deriveKey'])));
             const [x, y] = await Promise.all([s.deriveBits({{name: '{name}', public: b.publicKey}}, a.privateKey, 256), s.deriveBits({{name: '{name}', public: a.publicKey}}, b.privateKey, 256)]);
             const copy = await s.importKey('raw', await s.exportKey('raw', a.publicKey), {how}, true, []);
             const z = await s.deriveBits({{name: '{name}', public: copy}}, b.privateKey, 128);
             return [hex(x) === hex(y), hex(x).startsWith(hex(z)), x.byteLength, z.byteLength] }})()"
        )
    };
    let expected = json!([true, true, 32, 16]);
    check(&[
        (
            &agree("ECDH", "{name: 'ECDH', namedCurve: 'P-256'}"),
            expected.clone(),
        ),
        (
            &agree("ECDH", "{name: 'ECDH', namedCurve: 'P-384'}"),
            expected.clone(),
        ),
        (&agree("X25519", "{name: 'X25519'}"), expected),
    ]);
}

#[test]
fn a_key_does_what_it_is_for_and_is_not_given_out_against_its_word() {
    check(&[
        (
            "await s.exportKey('raw', await s.generateKey({name: 'AES-GCM', length: 256}, false, ['encrypt']))",
            json!(["InvalidAccessError", "the key may not be exported"]),
        ),
        (
            "await s.exportKey('pkcs8', (await s.generateKey('Ed25519', false, ['sign'])).privateKey)",
            json!(["InvalidAccessError", "the key may not be exported"]),
        ),
        (
            "await s.sign('HMAC', await s.generateKey({name: 'HMAC', hash: 'SHA-1'}, false, ['verify']), text('a'))",
            json!(["InvalidAccessError", "the key is not for `sign`"]),
        ),
        (
            "await s.sign('Ed25519', await s.generateKey({name: 'HMAC', hash: 'SHA-1'}, false, ['sign']), text('a'))",
            json!(["InvalidAccessError", "the key is for HMAC, not for Ed25519"]),
        ),
        (
            "await s.generateKey('Ed25519', false, ['encrypt'])",
            json!(["SyntaxError", "such a key cannot be for `encrypt`"]),
        ),
        (
            "await s.importKey('raw', un('00'), {name: 'ECDSA', namedCurve: 'P-521'}, true, ['verify'])",
            json!([
                "NotSupportedError",
                "the curve `P-521` is not supported: there are P-256 and P-384"
            ]),
        ),
        (
            "await s.importKey('raw', un('04' + '00'.repeat(64)), {name: 'ECDH', namedCurve: 'P-256'}, true, [])",
            json!(["DataError", "this is no key of `P-256` in the form `raw`"]),
        ),
        (
            "await s.generateKey('RSA-OAEP', true, ['encrypt']).catch((e) => e.name)",
            json!("NotSupportedError"),
        ),
        (
            "Object.getOwnPropertyNames(await s.generateKey({name: 'AES-GCM', length: 128}, false, ['encrypt']))",
            json!([]),
        ),
        (
            "new CryptoKey()",
            json!(["TypeError", "keys come from crypto.subtle"]),
        ),
    ]);
}

#[test]
fn absurd_sizes_are_refused_at_once() {
    let derive = |how: &str, bits: &str| {
        format!(
            "(await s.deriveBits({how}, await s.importKey('raw', text('p'), {how}.name, false, ['deriveBits']), {bits}).catch((e) => e.name))"
        )
    };
    let stretch = |rounds: &str| {
        format!("{{name: 'PBKDF2', hash: 'SHA-256', salt: text('s'), iterations: {rounds}}}")
    };
    check(&[
        (&derive(&stretch("2 ** 31"), "256"), json!("OperationError")),
        (&derive(&stretch("2 ** 40"), "256"), json!("OperationError")),
        (&derive(&stretch("0"), "256"), json!("OperationError")),
        (
            &derive(&stretch("100"), "8 * 65536 + 8"),
            json!("OperationError"),
        ),
        (
            &derive(&stretch("1000"), "8 * 65536"),
            json!("OperationError"),
        ),
        (
            &derive(
                "{name: 'HKDF', hash: 'SHA-256', salt: text(''), info: text('')}",
                "8 * 32 * 256",
            ),
            json!("OperationError"),
        ),
        (
            "await s.generateKey({name: 'HMAC', hash: 'SHA-1', length: 8 * 2 ** 20}, true, ['sign']).catch((e) => e.name)",
            json!("DataError"),
        ),
    ]);
}

#[test]
fn keys_are_bounded_and_go_with_their_objects() {
    let world = world();

    let dropped = "await (async () => { for (let n = 0; n < 1500; n++) await s.importKey('raw', un('00'), 'HKDF', false, ['deriveBits']); return 'dropped' })()";
    let outcomes: Vec<Value> = (0..8).map(|_| world.outcome(dropped)).collect();
    let kept = world.outcome(
        "await (async () => { globalThis.all = []; for (let n = 0; n <= 10000; n++) all.push(s.importKey('raw', un('00'), 'HKDF', false, ['deriveBits'])); return all.at(-1) })()",
    );

    assert_eq!(outcomes, vec![json!("dropped"); 8]);
    assert_eq!(
        kept,
        json!(["OperationError", "there are 10000 keys already"])
    );
}

/// What another implementation makes of the same; it is looked for, and not needed.
#[test]
fn another_implementation_understands_what_is_signed_and_sealed_here() {
    let script = |sent: &Value| {
        format!(
            "const un = (t) => Buffer.from(t, 'hex'); const k = {sent}; const s = crypto.webcrypto?.subtle ?? crypto.subtle; (async () => {{
             const ec = await s.importKey('spki', un(k.ec), {{name: 'ECDSA', namedCurve: 'P-256'}}, true, ['verify']);
             const ed = await s.importKey('jwk', k.ed, 'Ed25519', true, ['verify']);
             const aes = await s.importKey('jwk', k.aes, 'AES-GCM', true, ['decrypt']);
             console.log(JSON.stringify([await s.verify({{name: 'ECDSA', hash: 'SHA-384'}}, ec, un(k.signed), Buffer.from('m')),
               await s.verify('Ed25519', ed, un(k.edSigned), Buffer.from('m')),
               Buffer.from(await s.decrypt({{name: 'AES-GCM', iv: Buffer.alloc(12)}}, aes, un(k.sealed))).toString()])) }})()"
        )
    };
    let sent = world().outcome(
        "await (async () => { const ec = await s.generateKey({name: 'ECDSA', namedCurve: 'P-256'}, true, ['sign', 'verify']); const ed = await s.generateKey('Ed25519', true, ['sign', 'verify']);
         const aes = await s.generateKey({name: 'AES-GCM', length: 256}, true, ['encrypt', 'decrypt']);
         return {ec: hex(await s.exportKey('spki', ec.publicKey)), signed: hex(await s.sign({name: 'ECDSA', hash: 'SHA-384'}, ec.privateKey, text('m'))),
           ed: await s.exportKey('jwk', ed.publicKey), edSigned: hex(await s.sign('Ed25519', ed.privateKey, text('m'))),
           aes: await s.exportKey('jwk', aes), sealed: hex(await s.encrypt({name: 'AES-GCM', iv: new Uint8Array(12)}, aes, text('hello')))} })()",
    );

    let Ok(output) = Command::new("node").args(["-e", &script(&sent)]).output() else {
        println!("skipped: there is no `node` here");
        return;
    };

    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said, json!([true, true, "hello"]));
}
