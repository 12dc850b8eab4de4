import { BUS, type Bus } from '@baton/bus';
import { parse, placeRequest, placeSubject, type PlaceAnswer } from '@baton/contracts';
import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import type { Logger } from 'pino';
import { BacklogService } from '../backlog/backlog.service.js';
import { FleetService } from '../fleet/fleet.service.js';
import { LOGGER } from '../logger.js';
import { LeaseService } from './lease.service.js';

type Listening = ReturnType<Bus['listen']>;
type Message = Parameters<Parameters<Bus['listen']>[1]>[0];

/** Answers what neighbours ask of the owner of a shard, for as long as this process is it. */
@Injectable()
export class PlaceConsumer implements OnModuleInit, OnModuleDestroy {
  private readonly listenings = new Map<number, Listening>();
  private stopped = false;

  constructor(
    @Inject(BUS) private readonly bus: Bus,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly fleetService: FleetService,
    private readonly leases: LeaseService,
    private readonly backlog: BacklogService,
  ) {}

  onModuleInit(): void {
    this.leases.onChanged(() => this.follow());
  }

  onModuleDestroy(): void {
    this.stopped = true;
    this.follow();
  }

  private follow(): void {
    const { own } = this.fleetService.fleet.shards;
    for (const [shard, listening] of this.listenings) {
      if (own.has(shard) && !this.stopped) continue;
      listening.stop();
      this.listenings.delete(shard);
    }
    if (this.stopped) return;
    for (const shard of own.keys()) {
      if (this.listenings.has(shard)) continue;
      const receive = (message: Message) => void this.answer(message);
      this.listenings.set(shard, this.bus.listen(placeSubject(shard), receive));
    }
  }

  private async answer(message: Message): Promise<void> {
    try {
      const { tasks } = parse(placeRequest, message.json(), message.subject);
      const answer: PlaceAnswer = { placed: [...(await this.backlog.offered(tasks))] };
      message.respond(JSON.stringify(answer));
    } catch (error) {
      // The neighbour hears nothing and goes on without: its task waits in the backlog.
      this.logger.warn({ err: error, subject: message.subject }, 'could not answer a neighbour');
    }
  }
}
