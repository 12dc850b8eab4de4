import { Replies } from '@baton/bus';
import {
  authCheckRequest,
  parse,
  QUEUE_GROUPS,
  SERVICE_SUBJECTS,
  type AuthCheckAnswer,
} from '@baton/contracts';
import { Controller } from '@nestjs/common';
import { TokenService } from './token.service.js';

@Controller()
export class TokenConsumer {
  constructor(private readonly tokens: TokenService) {}

  @Replies(SERVICE_SUBJECTS.check, { queue: QUEUE_GROUPS.task })
  async check(body: unknown): Promise<AuthCheckAnswer> {
    const { token } = parse(authCheckRequest, body, SERVICE_SUBJECTS.check);
    return { principal: (await this.tokens.check(token)) ?? null };
  }
}
