import type { Attributes } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { DROP, RECORD_AND_SAMPLE } from '../sampling-result.ts'
import { EPOCH_MS, keptOf, request, testParts } from './remote.testkit.ts'
import { serviceOf } from './xray.ts'
import { DOCUMENTS_MAX, RULES_MAX, RULES_VALID_MS, XrayRules } from './xray-rules.ts'

const EPOCH_S = EPOCH_MS / 1_000

/** A rule as the service answers it; fits everything, keeps nothing. */
function record(RuleName: string, more: object = {}) {
  return {
    CreatedAt: 0,
    ModifiedAt: 1_795_000_000,
    SamplingRule: {
      RuleName,
      RuleARN: `arn:aws:xray:eu-west-1:123456789012:sampling-rule/${RuleName}`,
      Priority: 100,
      FixedRate: 0,
      ReservoirSize: 0,
      ServiceName: '*',
      ServiceType: '*',
      Host: '*',
      HTTPMethod: '*',
      URLPath: '*',
      ResourceARN: '*',
      Attributes: {},
      Version: 1,
      ...more
    }
  }
}

function rulesOf(records: unknown[] = [], resource: Attributes = {}) {
  const { parts, time } = testParts()
  const rules = new XrayRules(serviceOf('shop', resource), 'c0ffee', parts)
  const problem = records.length > 0 ? rules.takeRules(records) : undefined
  const decide = (...asked: Parameters<typeof request>) => rules.decide(request(...asked))
  const target = (RuleName: string, more: object = {}) =>
    rules.takeTargets({ SamplingTargetDocuments: [{ RuleName, ...more }] })
  /** [requests, sampled, borrowed] of each rule. */
  const counts = () =>
    Object.fromEntries(
      rules
        .takeStatistics()
        .flat()
        .map((one) => [one.RuleName, [one.RequestCount, one.SampledCount, one.BorrowCount]])
    )
  return { rules, time, problem, decide, target, counts }
}

describe('rules', () => {
  it('decide by priority, then by name', () => {
    const { decide, counts } = rulesOf([
      record('z', { Priority: 9, FixedRate: 1 }),
      record('b', { Priority: 1, FixedRate: 1, URLPath: '/b' }),
      record('a', { Priority: 9 })
    ])
    expect(decide('', { 'url.path': '/b' }).decision).toBe(RECORD_AND_SAMPLE)
    expect(decide('', { 'url.path': '/c' }).decision).toBe(DROP)
    expect(counts()).toEqual({ a: [1, 0, 0], b: [1, 1, 0] })
  })

  const shop = { 'http.request.method': 'GET', 'url.path': '/Orders/7', 'server.address': 'a.shop' }
  it.each<[object, Attributes, boolean]>([
    [{ HTTPMethod: 'get' }, shop, true],
    [{ HTTPMethod: 'POST' }, shop, false],
    [{ HTTPMethod: 'GET' }, {}, false],
    [{ URLPath: '/orders/?' }, shop, true],
    [{ URLPath: '/orders/' }, shop, false],
    [{ URLPath: '/:id' }, { 'url.path': '/7' }, false],
    [{ URLPath: '/a*' }, { 'url.full': 'https://h/ab?c=1' }, true],
    [{ URLPath: '/' }, {}, true],
    [{ Host: '*.shop' }, shop, true],
    [{ Host: 'a.shop:80' }, shop, false],
    [{ Host: 'a.shop:80' }, { ...shop, 'server.port': 80 }, true],
    [{ Host: '*.shop' }, {}, false],
    [{ ServiceName: 'SHO?' }, {}, true],
    [{ ServiceName: 'other' }, {}, false],
    [{ ServiceType: 'AWS::ECS::*' }, {}, true],
    [{ ServiceType: 'AWS::EC2::Instance' }, {}, false],
    [{ ResourceARN: 'arn:aws:ecs:*:task/7' }, {}, true],
    [{ ResourceARN: 'arn:aws:ecs:*:task/8' }, {}, false],
    [{ Attributes: { tier: 'gold*', count: '7' } }, { tier: 'golden', count: 7 }, true],
    [{ Attributes: { tier: 'gold*', count: '7' } }, { tier: 'golden' }, false],
    [{ Attributes: { tier: '*' } }, {}, false]
  ])('with %j fit a request with %j: %s', (patterns, attributes, fits) => {
    const resource = {
      'cloud.platform': 'aws_ecs',
      'aws.ecs.container.arn': 'arn:aws:ecs:x:task/7'
    }
    const records = [
      record('one', { FixedRate: 1, ...patterns }),
      record('Default', { Priority: 10_000 })
    ]
    const { decide } = rulesOf(records, resource)
    expect(decide('', attributes, 0.5).decision === RECORD_AND_SAMPLE).toBe(fits)
  })

  it('know a Lambda function by its cloud resource', () => {
    const resource = { 'cloud.platform': 'aws_lambda', 'cloud.resource_id': 'arn:aws:lambda:f' }
    expect(serviceOf('f', resource)).toEqual({
      name: 'f',
      type: 'AWS::Lambda::Function',
      arn: 'arn:aws:lambda:f'
    })
    expect(serviceOf('f', { ...resource, 'cloud.platform': 'aws_ec2' }).arn).toBeUndefined()
  })

  it('read attributes only when one of them does', () => {
    const { rules } = rulesOf([record('a', { ServiceName: 'sh*' }), record('Default')])
    expect(rules.readsFacts).toBe(false)
    rules.takeRules([record('a', { ServiceName: 'other', Host: 'h' })])
    expect(rules.readsFacts).toBe(false)
    rules.takeRules([record('a', { Host: 'h' })])
    expect(rules.readsFacts).toBe(true)
  })

  it.each([
    [{ Version: 2 }, 'rule bad: Version 2'],
    [{ Priority: '1' }, 'rule bad: Priority 1'],
    [{ FixedRate: 1.1 }, 'rule bad: FixedRate 1.1'],
    [{ ReservoirSize: -1 }, 'rule bad: ReservoirSize -1'],
    [{ Host: 7 }, 'rule bad: Host is no pattern'],
    [{ URLPath: 'x'.repeat(513) }, 'rule bad: URLPath is no pattern'],
    [{ Attributes: [] }, 'rule bad: Attributes are no object']
  ])('with a mistake are left out alone: %j', (mistake, problem) => {
    const bad = record('bad', { FixedRate: 1, Priority: 1, ...mistake })
    const { decide, problem: said } = rulesOf([bad, record('good')])
    expect(said).toContain(problem)
    expect(decide('', { 'url.path': 'x' }, 0.99).decision).toBe(DROP)
  })

  it('are so many, by priority', () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, at) =>
        record(`r${at}`, { Priority: at, URLPath: `/${at}` })
      )
    const { rules, counts, decide } = rulesOf()
    expect(rules.takeRules(many(RULES_MAX))).toBeUndefined()
    decide('', { 'url.path': `/${RULES_MAX - 1}` })
    expect(counts()).toEqual({ [`r${RULES_MAX - 1}`]: [1, 0, 0] })
    expect(rules.takeRules(many(RULES_MAX + 1).reverse())).toBe(`more than ${RULES_MAX} rules`)
    decide('', { 'url.path': `/${RULES_MAX - 1}` })
    decide('', { 'url.path': `/${RULES_MAX}` })
    expect(counts()).toEqual({ [`r${RULES_MAX - 1}`]: [1, 0, 0] })
  })
})

describe('without rules', () => {
  it('one a second and a twentieth of the others are kept, until the first answer', () => {
    const { rules, decide, time } = rulesOf()
    expect(rules.areKnown).toBe(false)
    expect(decide('', {}, 0)).toMatchObject({ decision: 2, traceState: undefined })
    expect(decide('', {}, 0.94).decision).toBe(DROP)
    expect(decide('', {}, 0.951)).toMatchObject({ decision: 2, traceState: 'ot=th:f3333' })
    time.nowMs += 1_000
    expect(keptOf(rules.decide, request('', {}, 0), 9)).toBe(1)
    rules.takeRules([record('Default')])
    expect(keptOf(rules.decide, request('', {}, 0.99), 9)).toBe(0)
  })

  it('after an hour of silence too, and where no rule fits', () => {
    const { rules, decide, time } = rulesOf([record('a', { URLPath: '/a' })])
    time.nowMs += RULES_VALID_MS - 1
    expect(decide('', { 'url.path': '/a' }, 0).decision).toBe(DROP)
    expect(decide('', { 'url.path': '/b' }, 0).decision).toBe(RECORD_AND_SAMPLE)
    time.nowMs += 1
    expect(rules.areKnown).toBe(false)
    expect(decide('', { 'url.path': '/a' }, 0.96).decision).toBe(RECORD_AND_SAMPLE)
  })
})

describe('a reservoir', () => {
  it('is borrowed from, one a second, until there is a quota, and the rate is for the others', () => {
    const { decide, counts, time } = rulesOf([record('a', { ReservoirSize: 50, FixedRate: 0.25 })])
    expect(decide('', {}, 0, 'ot=th:4')).toMatchObject({ decision: 2, traceState: '' })
    expect(decide('', {}, 0.74).decision).toBe(DROP)
    expect(decide('', {}, 0.75)).toMatchObject({ decision: 2, traceState: 'ot=th:c' })
    time.nowMs += 1_000
    expect(decide('', {}, 0).decision).toBe(RECORD_AND_SAMPLE)
    expect(counts()).toEqual({ a: [4, 3, 2] })
    expect(counts()).toEqual({})
  })

  it('of size 0 lends nothing', () => {
    const { decide, counts } = rulesOf([record('a')])
    expect(decide().decision).toBe(DROP)
    expect(counts()).toEqual({ a: [1, 0, 0] })
  })

  it('with a quota keeps so many a second, to its end', () => {
    const { rules, time, target, counts } = rulesOf([record('a', { ReservoirSize: 50 })])
    const kept = () => keptOf(rules.decide, request('', {}, 0), 10)
    const quota = { ReservoirQuota: 3, ReservoirQuotaTTL: EPOCH_S + 10 }
    target('a', quota)
    expect([kept(), counts()]).toEqual([3, { a: [10, 3, 0] }])
    target('a', quota)
    expect(kept()).toBe(0)
    time.nowMs += 9_999
    expect([kept(), counts()]).toEqual([3, { a: [20, 3, 0] }])
    time.nowMs += 1
    expect([kept(), counts()]).toEqual([1, { a: [10, 1, 1] }])
    target('a', { ReservoirQuota: 0, ReservoirQuotaTTL: EPOCH_S + 20 })
    time.nowMs += 5_000
    expect([kept(), counts()]).toEqual([0, { a: [10, 0, 0] }])
  })

  it('of which a target says nothing stays, and its rate too', () => {
    const { decide, target, time, rules } = rulesOf([record('a', { ReservoirSize: 1 })])
    target('a', { FixedRate: 0.5, ReservoirQuota: null, ReservoirQuotaTTL: null })
    expect(keptOf(rules.decide, request('', {}, 0), 9)).toBe(1)
    expect(decide('', {}, 0.5).traceState).toBe('ot=th:8')
    target('a', { Interval: 10 })
    time.nowMs += 1
    expect(decide('', {}, 0.5).traceState).toBe('ot=th:8')
    expect(decide('', {}, 0.49).decision).toBe(DROP)
  })
})

describe('targets', () => {
  it('say when to report next: the first that is due', () => {
    const { rules } = rulesOf([record('a'), record('b'), record('c')])
    const at = (...intervals: unknown[]) =>
      rules.takeTargets({
        SamplingTargetDocuments: intervals.map((Interval, index) => ({
          RuleName: 'abc'[index],
          Interval
        }))
      }).intervalMs
    expect(at(15, 12, null)).toBe(12_000)
    expect(at()).toBeUndefined()
    expect(at(0, -1, 'soon')).toBeUndefined()
    expect(at(1, 3_600)).toBe(1_000)
  })

  it('say that the rules were changed: since they were fetched, then since the last word', () => {
    const { rules, time } = rulesOf()
    time.nowMs += 60_000
    rules.takeRules([record('a')])
    const changed = (LastRuleModification: unknown) =>
      rules.takeTargets({ SamplingTargetDocuments: [], LastRuleModification }).rulesHaveChanged
    expect(changed(null)).toBe(false)
    expect(changed(EPOCH_S + 60)).toBe(false)
    expect(changed(EPOCH_S + 60)).toBe(false)
    // A clock that is behind ours says later, and not late.
    expect(changed(EPOCH_S + 59)).toBe(true)
    const { rules: others } = rulesOf([record('a')])
    expect(
      others.takeTargets({ SamplingTargetDocuments: [], LastRuleModification: EPOCH_S + 1 })
        .rulesHaveChanged
    ).toBe(true)
  })

  it('that are none change nothing', () => {
    const { rules, target, decide } = rulesOf([record('a', { FixedRate: 1 })])
    expect(rules.takeTargets('text').problem).toBe('no SamplingTargetDocuments')
    expect(rules.takeTargets({ SamplingTargetDocuments: [null, 7] }).problem).toBeUndefined()
    expect(target('a', { FixedRate: 2 }).problem).toBe('FixedRate 2')
    expect(target('unknown', { FixedRate: 0 }).problem).toBeUndefined()
    expect(decide('', {}, 0).decision).toBe(RECORD_AND_SAMPLE)
  })
})

describe('counts', () => {
  it('are documents with who, when and what', () => {
    const { rules, decide } = rulesOf([record('a', { FixedRate: 1 }), record('b')])
    decide()
    expect(rules.takeStatistics()).toEqual([
      [
        {
          ClientID: 'c0ffee',
          RuleName: 'a',
          Timestamp: EPOCH_S,
          RequestCount: 1,
          SampledCount: 1,
          BorrowCount: 0
        }
      ]
    ])
  })

  it('that did not arrive come with the next', () => {
    const { rules, decide, counts } = rulesOf([record('a', { ReservoirSize: 1 })])
    decide()
    const [lost] = rules.takeStatistics()
    decide()
    rules.giveBack(lost!)
    expect(counts()).toEqual({ a: [2, 1, 1] })
  })

  it('and quotas outlive an answer that says the same; counts one that says otherwise', () => {
    const { rules, target, counts, decide } = rulesOf([record('a', { ReservoirSize: 1 })])
    const quota = { ReservoirQuota: 1, ReservoirQuotaTTL: EPOCH_S + 60 }
    target('a', quota)
    decide()
    rules.takeRules([record('b', { Priority: 200 }), record('a', { ReservoirSize: 1 })])
    expect(decide().decision).toBe(DROP)
    rules.takeRules([record('a', { FixedRate: 1 })])
    expect(decide('', {}, 0).decision).toBe(RECORD_AND_SAMPLE)
    expect(counts()).toEqual({ a: [3, 2, 0] })
    decide()
    rules.takeRules([record('b')])
    expect(counts()).toEqual({})
  })

  it.each([
    [DOCUMENTS_MAX, [DOCUMENTS_MAX]],
    [DOCUMENTS_MAX + 1, [DOCUMENTS_MAX, 1]]
  ])('of %d rules are sent in as many requests as the service wants', (count, sizes) => {
    const records = Array.from({ length: count }, (_, at) =>
      record(`r${at}`, { URLPath: `/${at}` })
    )
    const { rules, decide } = rulesOf(records)
    for (let at = 0; at < count; at++) decide('', { 'url.path': `/${at}` })
    expect(rules.takeStatistics().map((documents) => documents.length)).toEqual(sizes)
  })
})
