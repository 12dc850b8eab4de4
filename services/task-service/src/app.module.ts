import { Module, type DynamicModule } from '@nestjs/common';
import { KeyController } from './access/key.controller.js';
import { KeyService } from './access/key.service.js';
import { TokenConsumer } from './access/token.consumer.js';
import { TokenService } from './access/token.service.js';
import { AgentConsumer } from './agents/agent.consumer.js';
import { AgentController } from './agents/agent.controller.js';
import { AgentRecordsController } from './agents/agent-records.controller.js';
import { AgentRecords } from './agents/agent-records.service.js';
import { AuditLogController } from './audit/audit-log.controller.js';
import { AuditLog } from './audit/audit-log.service.js';
import { AgentOperationsController } from './agents/agent-operations.controller.js';
import { AgentOperations } from './agents/agent-operations.service.js';
import { AgentService } from './agents/agent.service.js';
import { CallsService } from './agents/calls.service.js';
import { GreetingService } from './agents/greeting.service.js';
import { LooksService } from './agents/looks.service.js';
import { ReportService } from './agents/report.service.js';
import { SessionService } from './agents/session.service.js';
import { TaskVerbsService } from './agents/task-verbs.service.js';
import { ChoiceService } from './distribution/choice.service.js';
import { DistributionConsumer } from './distribution/distribution.consumer.js';
import { DistributionService } from './distribution/distribution.service.js';
import { EnrolmentController } from './enrolment/enrolment.controller.js';
import { EnrolmentService } from './enrolment/enrolment.service.js';
import { EnrolmentTokens } from './enrolment/enrolment-token.service.js';
import { EventHistoryConsumer } from './history/event-history.consumer.js';
import { EventHistory } from './history/event-history.service.js';
import { OperationController } from './operations/operation.controller.js';
import { OperationService } from './operations/operation.service.js';
import { OutcomeService } from './outcomes/outcome.service.js';
import type { Services } from './services.js';
import { DocumentsController } from './documents/documents.controller.js';
import { Documents } from './documents/documents.service.js';
import { LeaseService } from './shards/lease.service.js';
import { ChoiceController } from './tasks/choice.controller.js';
import { CommandController } from './tasks/command.controller.js';
import { DecisionService } from './tasks/decision.service.js';
import { ListService } from './tasks/list.service.js';
import { RelativesController } from './tasks/relatives.controller.js';
import { RelativesService } from './tasks/relatives.service.js';
import { TraceController } from './trace/trace.controller.js';
import { TraceService } from './trace/trace.service.js';
import { TaskController } from './tasks/task.controller.js';
import { TaskReading } from './tasks/task.reading.service.js';
import { TaskReadingController } from './tasks/task.reading.controller.js';
import { TaskService } from './tasks/task.service.js';
import { PolicyController } from './policies/policy.controller.js';
import { PolicyService } from './policies/policy.service.js';
import { AdmissionService } from './types/admission.service.js';
import { PauseController } from './types/pause.controller.js';
import { TypeController } from './types/type.controller.js';
import { TypeService } from './types/type.service.js';
import { EventStreams } from './watching/event-stream.service.js';
import { EventsController } from './watching/events.controller.js';
import { WatchService } from './watching/watch.service.js';
import { ReactorService } from './waiting/reactor.service.js';
import { ReactorsConsumer } from './waiting/reactors.consumer.js';

/** The edges: HTTP controllers and NATS consumers over services that exist already. */
@Module({})
export class AppModule {
  static of(services: Services): DynamicModule {
    return {
      module: AppModule,
      controllers: [
        TaskController,
        EventsController,
        TypeController,
        PolicyController,
        PauseController,
        ChoiceController,
        KeyController,
        EnrolmentController,
        CommandController,
        TaskReadingController,
        RelativesController,
        TraceController,
        OperationController,
        AgentController,
        DocumentsController,
        AgentOperationsController,
        AgentRecordsController,
        AuditLogController,
        AgentConsumer,
        DistributionConsumer,
        EventHistoryConsumer,
        ReactorsConsumer,
        TokenConsumer,
      ],
      providers: [
        Documents,
        { provide: ReactorService, useValue: services.reactor },
        { provide: OutcomeService, useValue: services.outcomes },
        { provide: WatchService, useValue: services.watches },
        { provide: EventStreams, useValue: services.streams },
        { provide: TokenService, useFactory: () => services.access.tokens },
        { provide: KeyService, useFactory: () => services.access.keys },
        { provide: EnrolmentService, useFactory: () => services.enrolment.service },
        { provide: EnrolmentTokens, useFactory: () => services.enrolment.tokens },
        { provide: TypeService, useValue: services.types },
        { provide: PolicyService, useValue: services.policies },
        { provide: AdmissionService, useValue: services.admission },
        { provide: TaskService, useValue: services.tasks },
        { provide: RelativesService, useValue: services.relatives },
        { provide: TraceService, useValue: services.traces },
        { provide: TaskReading, useValue: services.reading },
        { provide: ChoiceService, useValue: services.choices },
        { provide: DecisionService, useValue: services.decisions },
        { provide: ListService, useValue: services.lists },
        { provide: OperationService, useValue: services.bulk },
        { provide: AgentService, useValue: services.agents },
        { provide: AgentOperations, useValue: services.operations },
        { provide: AgentRecords, useValue: services.records },
        { provide: AuditLog, useValue: services.auditLog },
        { provide: GreetingService, useValue: services.greetings },
        { provide: SessionService, useValue: services.sessions },
        { provide: TaskVerbsService, useValue: services.verbs },
        { provide: ReportService, useValue: services.reports },
        { provide: CallsService, useValue: services.calls },
        { provide: LooksService, useValue: services.looks },
        { provide: DistributionService, useValue: services.distribution },
        { provide: LeaseService, useValue: services.leases },
        { provide: EventHistory, useValue: services.history },
      ],
    };
  }
}
