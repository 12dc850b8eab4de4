import { Replies, type BusContext } from '@baton/bus';
import {
  agentId,
  agentOfSubject,
  agentSubject,
  callRenew,
  goodbye,
  hello,
  parse,
  QUEUE_GROUPS,
  type GoodbyeAnswer,
  type HelloAnswer,
} from '@baton/contracts';
import { Controller } from '@nestjs/common';
import { CallsService } from './calls.service.js';
import { EnrolmentService } from '../enrolment/enrolment.service.js';
import { LooksService } from './looks.service.js';
import { GreetingService } from './greeting.service.js';
import { ReportService } from './report.service.js';
import { TaskVerbsService } from './task-verbs.service.js';

const queue = QUEUE_GROUPS.task;
const ANY = '*';

/** Everything an agent says to task-service. Who it is comes from the subject it was allowed to publish on. */
@Controller()
export class AgentConsumer {
  constructor(
    private readonly greetings: GreetingService,
    private readonly verbs: TaskVerbsService,
    private readonly reports: ReportService,
    private readonly calls: CallsService,
    private readonly looks: LooksService,
    private readonly enrolments: EnrolmentService,
  ) {}

  @Replies(agentSubject.hello(ANY), { queue })
  hello(body: unknown, { subject }: BusContext): Promise<HelloAnswer> {
    return this.greetings.hello(agentOf(subject), parse(hello, body, 'hello'));
  }

  @Replies(agentSubject.goodbye(ANY), { queue })
  goodbye(body: unknown, { subject }: BusContext): Promise<GoodbyeAnswer> {
    return this.greetings.goodbye(agentOf(subject), parse(goodbye, body, 'goodbye'));
  }

  @Replies(agentSubject.task(ANY, 'start'), { queue })
  start(body: unknown, { subject, traceparent }: BusContext) {
    return this.verbs.state('start', agentOf(subject), body, traceparent);
  }

  @Replies(agentSubject.task(ANY, 'complete'), { queue })
  complete(body: unknown, { subject, traceparent }: BusContext) {
    return this.verbs.state('complete', agentOf(subject), body, traceparent);
  }

  @Replies(agentSubject.task(ANY, 'fail'), { queue })
  fail(body: unknown, { subject, traceparent }: BusContext) {
    return this.verbs.state('fail', agentOf(subject), body, traceparent);
  }

  @Replies(agentSubject.task(ANY, 'return'), { queue })
  giveBack(body: unknown, { subject, traceparent }: BusContext) {
    return this.verbs.state('return', agentOf(subject), body, traceparent);
  }

  @Replies(agentSubject.task(ANY, 'delegate'), { queue })
  delegate(body: unknown, { subject, traceparent }: BusContext) {
    return this.verbs.state('delegate', agentOf(subject), body, traceparent);
  }

  @Replies(agentSubject.task(ANY, 'block'), { queue })
  block(body: unknown, { subject, traceparent }: BusContext) {
    return this.verbs.state('block', agentOf(subject), body, traceparent);
  }

  @Replies(agentSubject.task(ANY, 'progress'), { queue })
  progress(body: unknown, { subject }: BusContext) {
    return this.verbs.progress(agentOf(subject), body);
  }

  @Replies(agentSubject.task(ANY, 'log'), { queue })
  log(body: unknown, { subject }: BusContext) {
    return this.reports.log(agentOf(subject), body);
  }

  @Replies(agentSubject.task(ANY, 'artifact'), { queue })
  artifact(body: unknown, { subject }: BusContext) {
    return this.reports.artifact(agentOf(subject), body);
  }

  @Replies(agentSubject.task(ANY, 'checkpoint'), { queue })
  checkpoint(body: unknown, { subject }: BusContext) {
    return this.reports.checkpoint(agentOf(subject), body);
  }

  @Replies(agentSubject.call(ANY, 'create'), { queue })
  create(body: unknown, context: BusContext) {
    return this.calls.create(request(body, context));
  }

  @Replies(agentSubject.call(ANY, 'spawn'), { queue })
  spawn(body: unknown, context: BusContext) {
    return this.calls.spawn(request(body, context));
  }

  @Replies(agentSubject.call(ANY, 'get'), { queue })
  get(body: unknown, context: BusContext) {
    return this.calls.get(request(body, context));
  }

  @Replies(agentSubject.call(ANY, 'agents'), { queue })
  agents(body: unknown, context: BusContext) {
    return this.calls.agents(request(body, context));
  }

  /** Each is held for as long as the task goes on, and costs next to nothing meanwhile. */
  @Replies(agentSubject.call(ANY, 'wait'), { queue, maxInFlight: 10_000 })
  wait(body: unknown, context: BusContext) {
    return this.looks.wait(request(body, context));
  }

  @Replies(agentSubject.call(ANY, 'history'), { queue })
  history(body: unknown, context: BusContext) {
    return this.looks.history(request(body, context));
  }

  @Replies(agentSubject.call(ANY, 'decision'), { queue })
  decision(body: unknown, context: BusContext) {
    return this.looks.decision(request(body, context));
  }

  @Replies(agentSubject.call(ANY, 'list'), { queue })
  list(body: unknown, context: BusContext) {
    return this.calls.list(request(body, context));
  }

  @Replies(agentSubject.call(ANY, 'update'), { queue })
  update(body: unknown, context: BusContext) {
    return this.calls.command('update', request(body, context));
  }

  @Replies(agentSubject.call(ANY, 'reopen'), { queue })
  reopen(body: unknown, context: BusContext) {
    return this.calls.command('reopen', request(body, context));
  }

  @Replies(agentSubject.call(ANY, 'delete'), { queue })
  delete(body: unknown, context: BusContext) {
    return this.calls.command('delete', request(body, context));
  }

  @Replies(agentSubject.call(ANY, 'release'), { queue })
  release(body: unknown, context: BusContext) {
    return this.calls.command('release', request(body, context));
  }

  @Replies(agentSubject.call(ANY, 'link'), { queue })
  link(body: unknown, context: BusContext) {
    return this.calls.command('link', request(body, context));
  }

  @Replies(agentSubject.call(ANY, 'unlink'), { queue })
  unlink(body: unknown, context: BusContext) {
    return this.calls.command('unlink', request(body, context));
  }

  @Replies(agentSubject.call(ANY, 'unblock'), { queue })
  unblock(body: unknown, context: BusContext) {
    return this.calls.command('unblock', request(body, context));
  }

  @Replies(agentSubject.call(ANY, 'cancel'), { queue })
  cancel(body: unknown, context: BusContext) {
    return this.calls.command('cancel', request(body, context));
  }

  @Replies(agentSubject.call(ANY, 'answer'), { queue })
  answer(body: unknown, context: BusContext) {
    return this.calls.command('answer', request(body, context));
  }

  @Replies(agentSubject.call(ANY, 'inbox'), { queue })
  inbox(body: unknown, context: BusContext) {
    return this.calls.inbox(request(body, context));
  }

  @Replies(agentSubject.call(ANY, 'ack'), { queue })
  acknowledge(body: unknown, context: BusContext) {
    return this.calls.acknowledge(request(body, context));
  }

  @Replies(agentSubject.call(ANY, 'renew'), { queue })
  async renew(body: unknown, { subject }: BusContext) {
    const wanted = parse(callRenew, body, 'renew');
    return { ok: true, ...(await this.enrolments.renew(agentOf(subject), wanted)) };
  }
}

/** Who speaks; a subject may carry what is no id of an agent. */
function agentOf(subject: string): string {
  return parse(agentId, agentOfSubject(subject), 'Agent id of the subject');
}

function request(body: unknown, { subject, traceparent }: BusContext) {
  return { agentId: agentOf(subject), body, traceparent };
}
