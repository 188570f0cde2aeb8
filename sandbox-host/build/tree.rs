//! Compiles a policy into a filter: a balanced tree over the call numbers.
//!
//! A flat list of a hundred comparisons costs 0.2 ms to install, because the
//! kernel runs it once for each call number; a tree costs a quarter of that.
//! Neighbours with the same answer share one leaf, and near leaves one answer.

use super::numbers::ROWS;
use super::policy::{Condition, Conjunction, Policy, Rule, Value};

/// One instruction of the filter: code, jump if true, jump if false, operand.
pub(crate) type Instruction = (u16, u8, u8, u32);

/// Stands for the process's own id until the filter is installed.
pub(crate) const OWN_MARK: u32 = 0x5e1f_5e1f;

/// `SECCOMP_RET_*`, with what we put into their low bits.
pub(crate) const KILL: u32 = 0x8000_0000;
/// Stops the process for its tracer; the low bits are the call's number.
pub(crate) const TRACE: u32 = 0x7ff0_0000;
/// Permits.
pub(crate) const ALLOW: u32 = 0x7fff_0000;
/// Answers `EPERM`.
pub(crate) const EPERM: u32 = 0x0005_0001;
/// Answers `ENOSYS`.
pub(crate) const ENOSYS: u32 = 0x0005_0026;

const LOAD: u16 = 0x20; // A = word at offset k
const AND: u16 = 0x54; // A &= k
const JEQ: u16 = 0x15; // A == k ?
const OR: u16 = 0x44; // A |= k
const JGE: u16 = 0x35; // A >= k ?
const JUMP: u16 = 0x05;
const RETURN: u16 = 0x06;
const RETURN_A: u16 = 0x16;

const OFFSET_NUMBER: u32 = 0;
const OFFSET_ARCH: u32 = 4;
const OFFSET_ARGUMENTS: u32 = 16;

// x32 calls have this bit; they would be a second, unfiltered set of numbers.
const X32_BIT: u32 = 0x4000_0000;

/// A machine that filters are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arch {
    /// `x86_64`
    X86_64,
    /// `aarch64`
    Aarch64,
}

impl Arch {
    /// `AUDIT_ARCH_*`: what the kernel calls it.
    pub(crate) const fn audit(self) -> u32 {
        match self {
            Self::X86_64 => 0xc000_003e,
            Self::Aarch64 => 0xc000_00b7,
        }
    }

    /// The number of a call, if this machine has it.
    pub(crate) fn number(self, call: &str) -> Result<Option<u32>, String> {
        let row = ROWS.iter().find(|(name, ..)| *name == call);
        let (_, x86_64, aarch64) = row.ok_or(format!("`{call}` stands not in build/numbers.rs"))?;
        Ok(match self {
            Self::X86_64 => *x86_64,
            Self::Aarch64 => *aarch64,
        })
    }
}

#[derive(Clone, PartialEq)]
enum Leaf<'p> {
    Return(u32),
    /// TRACE with the number, which is still in A: neighbours share it.
    Trace,
    Check(&'p [Conjunction]),
}

/// Compiles the filter of a policy for a machine.
pub(crate) fn compile(policy: &Policy, arch: Arch) -> Result<Vec<Instruction>, String> {
    let tree = branch(&leaves(policy, arch)?)?;
    let mut filter = vec![
        (LOAD, 0, 0, OFFSET_ARCH),
        (JEQ, 1, 0, arch.audit()),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, OFFSET_NUMBER),
    ];
    if arch == Arch::X86_64 {
        filter.extend([(JGE, 0, 1, X32_BIT), (RETURN, 0, 0, KILL)]);
    }
    filter.extend(tree);
    Ok(filter)
}

// Where each answer begins, in order of the numbers.
fn leaves(policy: &Policy, arch: Arch) -> Result<Vec<(u32, Leaf<'_>)>, String> {
    let mut answers = std::collections::BTreeMap::new();
    for (call, rule) in &policy.calls {
        let Some(number) = arch.number(call)? else {
            continue;
        };
        let leaf = match rule {
            Rule::Allow(alternatives) if alternatives.is_empty() => Leaf::Return(ALLOW),
            Rule::Allow(alternatives) => Leaf::Check(alternatives),
            Rule::Refuse => Leaf::Return(EPERM),
            Rule::Never => Leaf::Trace,
        };
        answers.insert(number, leaf);
    }
    let mut leaves = vec![(0, Leaf::Return(ENOSYS))];
    for (&number, leaf) in &answers {
        begin(&mut leaves, number, leaf.clone());
        if !answers.contains_key(&(number + 1)) {
            begin(&mut leaves, number + 1, Leaf::Return(ENOSYS));
        }
    }
    Ok(leaves)
}

fn begin<'p>(leaves: &mut Vec<(u32, Leaf<'p>)>, number: u32, leaf: Leaf<'p>) {
    if leaves.last().is_some_and(|(start, _)| *start == number) {
        leaves.pop();
    }
    if leaves.last().is_none_or(|(_, last)| *last != leaf) {
        leaves.push((number, leaf));
    }
}

// Leaves that share one pool of answers: a conditional jump reaches 255
// instructions, and the longest check in a profile has about twenty.
const POOLED: usize = 48;

fn branch(leaves: &[(u32, Leaf<'_>)]) -> Result<Vec<Instruction>, String> {
    if leaves.len() <= POOLED {
        return grove(leaves);
    }
    let (low, high) = leaves.split_at(leaves.len() / 2);
    let first = high.first().map_or(0, |(start, _)| *start);
    let (low, high) = (branch(low)?, branch(high)?);
    let skip = u32::try_from(low.len()).map_err(|e| e.to_string())?;
    let mut code = vec![(JGE, 0, 1, first), (JUMP, 0, 0, skip)];
    code.extend(low);
    code.extend(high);
    Ok(code)
}

// A small tree, and behind it every answer that its leaves give, once each.
fn grove(leaves: &[(u32, Leaf<'_>)]) -> Result<Vec<Instruction>, String> {
    let nodes = leaves.len().saturating_sub(1);
    let mut answers: Vec<(&Leaf<'_>, usize)> = Vec::new();
    let mut pool = Vec::new();
    for (_, leaf) in leaves {
        if !answers.iter().any(|(known, _)| *known == leaf) {
            answers.push((leaf, nodes + pool.len()));
            pool.extend(twig(leaf)?);
        }
    }
    let mut code = Vec::new();
    grow(leaves, &answers, &mut code)?;
    code.extend(pool);
    Ok(code)
}

// Node, lower half, upper half; where a half is one leaf, a jump to its answer instead.
fn grow<'p>(
    leaves: &[(u32, Leaf<'p>)],
    answers: &[(&Leaf<'p>, usize)],
    code: &mut Vec<Instruction>,
) -> Result<(), String> {
    if leaves.len() < 2 {
        return Ok(());
    }
    let at = code.len();
    let (low, high) = leaves.split_at(leaves.len() / 2);
    let first = high.first().map_or(0, |(start, _)| *start);
    code.push((JGE, 0, 0, first));
    grow(low, answers, code)?;
    let above = code.len();
    grow(high, answers, code)?;
    let jump = |half: &[(u32, Leaf<'p>)], next: usize| {
        let target = match half {
            [(_, leaf)] => answers
                .iter()
                .find(|(known, _)| *known == leaf)
                .map(|(_, place)| *place),
            _ => Some(next),
        };
        let distance = target.and_then(|target| u8::try_from(target - at - 1).ok());
        distance.ok_or_else(|| "an answer is out of reach: lower POOLED".to_owned())
    };
    let node = (JGE, jump(high, above)?, jump(low, at + 1)?, first);
    if let Some(place) = code.get_mut(at) {
        *place = node;
    }
    Ok(())
}

fn twig(leaf: &Leaf<'_>) -> Result<Vec<Instruction>, String> {
    Ok(match leaf {
        Leaf::Return(answer) => vec![(RETURN, 0, 0, *answer)],
        Leaf::Trace => vec![(OR, 0, 0, TRACE), (RETURN_A, 0, 0, 0)],
        Leaf::Check(alternatives) => {
            let mut code = Vec::new();
            for conjunction in *alternatives {
                code.extend(conjunct(conjunction)?);
            }
            code.push((RETURN, 0, 0, EPERM));
            code
        }
    })
}

// Every condition that fails jumps behind the permission at the end.
fn conjunct(conditions: &[Condition]) -> Result<Vec<Instruction>, String> {
    let mut code = vec![(RETURN, 0, 0, ALLOW)];
    for condition in conditions.iter().rev() {
        for (load, value) in comparisons(condition).into_iter().rev() {
            let out = u8::try_from(code.len()).map_err(|_| "too many conditions in a row")?;
            let jump = if condition.equal {
                (JEQ, 0, out, value)
            } else {
                (JEQ, out, 0, value)
            };
            let mut step = load;
            step.push(jump);
            step.append(&mut code);
            code = step;
        }
    }
    Ok(code)
}

fn comparisons(condition: &Condition) -> Vec<(Vec<Instruction>, u32)> {
    let low = OFFSET_ARGUMENTS + 8 * u32::from(condition.argument);
    let value = match condition.value {
        Value::Number(number) => number,
        Value::Own => OWN_MARK,
    };
    let mut load = vec![(LOAD, 0, 0, low)];
    if condition.mask != u32::MAX {
        load.push((AND, 0, 0, condition.mask));
    }
    let mut all = vec![(load, value)];
    if condition.wide {
        all.push((vec![(LOAD, 0, 0, low + 4)], 0));
    }
    all
}
