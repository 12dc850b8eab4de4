import {
  agentId,
  agentMetricsQuery,
  delegationMetricsQuery,
  parse,
  taskMetricsQuery,
  type AgentMetrics,
  type AgentsMetrics,
  type DelegationMetrics,
  type SystemMetrics,
  type TaskMetrics,
} from '@baton/contracts';
import { Controller, Get, Param, Query } from '@nestjs/common';
import { ReportService } from './report.service.js';
import { SystemService } from './system.service.js';

const QUERY = 'the query';

/** The metrics API. */
@Controller('v1/metrics')
export class ReportController {
  constructor(
    private readonly reports: ReportService,
    private readonly upkeep: SystemService,
  ) {}

  @Get('tasks')
  tasks(@Query() query: unknown): Promise<TaskMetrics> {
    return this.reports.tasks(parse(taskMetricsQuery, query, QUERY));
  }

  @Get('agents')
  agents(@Query() query: unknown): Promise<AgentsMetrics> {
    return this.reports.agents(parse(agentMetricsQuery, query, QUERY));
  }

  @Get('agents/:id')
  agent(@Param('id') id: string, @Query() query: unknown): Promise<AgentMetrics> {
    return this.reports.agent(parse(agentId, id, 'the id'), parse(agentMetricsQuery, query, QUERY));
  }

  @Get('delegations')
  delegations(@Query() query: unknown): Promise<DelegationMetrics> {
    return this.reports.delegations(parse(delegationMetricsQuery, query, QUERY));
  }

  @Get('system')
  system(): Promise<SystemMetrics> {
    return this.upkeep.system();
  }
}
